import type { Kafka, Producer } from 'kafkajs';
import type { ActionEvent } from '../../domain/event.ts';
import { Partitioners } from './kafkajs.ts';

/** Reports actions as a gateway does: bare JSON, the session as the key, acknowledged by all in-sync replicas. */
export class ActionWriter {
  readonly #producer: Producer;
  readonly #topic: string;

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  static async open(kafka: Kafka, topic: string): Promise<ActionWriter> {
    const producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    return new ActionWriter(producer, topic);
  }

  async write(events: readonly ActionEvent[]): Promise<void> {
    const messages = events.map((event) => ({ key: event.session, value: JSON.stringify(event) }));
    await this.#producer.send({ topic: this.#topic, acks: -1, messages });
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}

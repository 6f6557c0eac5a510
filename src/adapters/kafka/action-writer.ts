import type { Kafka, Producer } from 'kafkajs';
import type { ActionEvent } from '../../domain/event.ts';
import type { Clock } from '../../ports.ts';
import { inRequests, sendWhole, wholeProducer } from './whole-send.ts';

/** Reports actions as a gateway does: bare JSON, the session as the key, acknowledged by all in-sync replicas. */
export class ActionWriter {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #clock: Clock;

  private constructor(producer: Producer, topic: string, clock: Clock) {
    this.#producer = producer;
    this.#topic = topic;
    this.#clock = clock;
  }

  static async open(kafka: Kafka, topic: string, clock: Clock): Promise<ActionWriter> {
    const producer = wholeProducer(kafka);
    await producer.connect();
    return new ActionWriter(producer, topic, clock);
  }

  /** In this order, in as many requests as their size asks for. */
  async write(events: readonly ActionEvent[]): Promise<void> {
    const all = events.map((event) => ({ key: event.session, value: Buffer.from(JSON.stringify(event)) }));
    for (const messages of inRequests(all, ({ value }) => value.length)) {
      await sendWhole(this.#producer, { topicMessages: [{ topic: this.#topic, messages }] }, this.#clock);
    }
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}

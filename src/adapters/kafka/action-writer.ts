import type { Kafka, Producer } from 'kafkajs';
import type { ActionEvent } from '../../domain/event.ts';
import type { Clock } from '../../ports.ts';
import { sendWhole, wholeProducer } from './whole-send.ts';

/** All of a request may go to one partition, whose broker takes half a mebibyte at once. */
const REQUEST_BYTES_MAX = 256 * 1024;

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
    let messages: { key: string; value: Buffer }[] = [];
    let bytes = 0;
    for (const event of events) {
      const value = Buffer.from(JSON.stringify(event));
      if (messages.length > 0 && bytes + value.length > REQUEST_BYTES_MAX) {
        await this.#send(messages);
        messages = [];
        bytes = 0;
      }
      messages.push({ key: event.session, value });
      bytes += value.length;
    }
    if (messages.length > 0) await this.#send(messages);
  }

  #send(messages: { key: string; value: Buffer }[]): Promise<void> {
    return sendWhole(this.#producer, { topicMessages: [{ topic: this.#topic, messages }] }, this.#clock);
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}

import type { Kafka } from 'kafkajs';
import { z } from 'zod';
import { PolicyActivated } from '../../domain/record.ts';
import { Partitioners } from './kafkajs.ts';
import { PartitionClient } from './partition-client.ts';
import { readRanges, wholeTopic } from './range-reader.ts';

const REMEMBERED_MAX = 32;
const KEY = 'activations';

/** One activation. Written when it begins, and again when every partition has its record. */
export const Activation = z.object({
  ...PolicyActivated.pick({ hash: true, chunks: true, engine: true }).shape,
  by: z.string(),
  at: z.string(),
  state: z.enum(['begun', 'complete']),
});
export type Activation = z.infer<typeof Activation>;

/**
 * Which policies were activated, the newest last, at most 32: one value of the compacted topic that holds the bodies.
 * For advice to people; what a partition follows is in its log alone. Of two who add at once, one may be missing.
 */
export class ActivationHistory {
  readonly #kafka: Kafka;
  readonly #topic: string;

  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  async read(): Promise<Activation[]> {
    const client = new PartitionClient(this.#kafka);
    let latest: string | undefined;
    try {
      for await (const { record } of readRanges(client, this.#topic, await wholeTopic(client, this.#topic))) {
        if (record.key === null || Buffer.from(record.key).toString() !== KEY) continue;
        latest = record.value === null ? undefined : Buffer.from(record.value).toString();
      }
    } finally {
      await client.close();
    }
    return latest === undefined ? [] : z.array(Activation).parse(JSON.parse(latest));
  }

  /** The newest one; it takes the place of what was said of the same activation before. */
  async add(activation: Activation): Promise<void> {
    const past = await this.read();
    const last = past.at(-1);
    if (last?.hash === activation.hash) {
      if (last.state === activation.state) return;
      past.pop();
    }
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      const value = JSON.stringify([...past, activation].slice(-REMEMBERED_MAX));
      await producer.send({ topic: this.#topic, acks: -1, messages: [{ key: KEY, value }] });
    } finally {
      await producer.disconnect();
    }
  }
}

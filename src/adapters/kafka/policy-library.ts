import type { Kafka, Producer } from 'kafkajs';
import type { PolicyActivated } from '../../domain/record.ts';
import type { Clock, PolicyLibrary } from '../../ports.ts';
import { bodyOf, chunksOf, PolicyUnavailable, policyOf } from '../policy-body.ts';
import { Partitioners } from './kafkajs.ts';
import { PartitionClient } from './partition-client.ts';
import { readRanges, wholeTopic } from './range-reader.ts';

export interface KafkaPolicyLibraryOptions {
  kafka: Kafka;
  /** A compacted topic. Keys are `HASH/INDEX`. */
  topic: string;
  /** Version of the engine that reads these bodies. */
  engine: number;
  clock: Clock;
  /** How long `get` waits for chunks that are not there yet. */
  waitMs?: number;
}

const WAIT_MS = 10_000;
const RETRY_MS = 200;

/** Policies are few and change by hand, so `get` reads the topic; what it has verified it keeps. */
export class KafkaPolicyLibrary implements PolicyLibrary {
  readonly #options: KafkaPolicyLibraryOptions;
  readonly #client: PartitionClient;
  readonly #verified = new Map<string, Uint8Array>();
  #producer: Promise<Producer> | undefined;

  constructor(options: KafkaPolicyLibraryOptions) {
    this.#options = options;
    this.#client = new PartitionClient(options.kafka);
  }

  async get(policy: PolicyActivated): Promise<Uint8Array> {
    const { clock, waitMs = WAIT_MS } = this.#options;
    const known = this.#verified.get(policy.hash);
    if (known !== undefined) return known;
    const startedMs = clock.monotonicMs();
    for (;;) {
      const chunks = await this.#chunks(policy);
      if (chunks.length === policy.chunks) {
        const body = bodyOf(policy, chunks);
        this.#verified.set(policy.hash, body);
        return body;
      }
      if (clock.monotonicMs() - startedMs >= waitMs) {
        throw new PolicyUnavailable(policy, `${chunks.length} chunks in ${this.#options.topic} after ${waitMs} ms`);
      }
      await clock.sleep(RETRY_MS);
    }
  }

  async put(body: Uint8Array): Promise<PolicyActivated> {
    const { topic, engine } = this.#options;
    const policy = policyOf(body, engine);
    const producer = await this.#connected();
    for (const [index, chunk] of chunksOf(body).entries()) {
      const message = { key: `${policy.hash}/${index}`, value: Buffer.from(chunk) };
      await producer.send({ topic, acks: -1, messages: [message] });
    }
    return policy;
  }

  async close(): Promise<void> {
    await (await this.#producer)?.disconnect();
    await this.#client.close();
  }

  /** The chunks from the first up to the first that is missing. */
  async #chunks({ hash, chunks }: PolicyActivated): Promise<Uint8Array[]> {
    const { topic } = this.#options;
    const found = new Map<string, Uint8Array>();
    for await (const { record } of readRanges(this.#client, topic, await wholeTopic(this.#client, topic))) {
      const key = record.key === null ? '' : Buffer.from(record.key).toString();
      if (key.startsWith(`${hash}/`) && record.value !== null) found.set(key, Buffer.from(record.value));
    }
    const ordered: Uint8Array[] = [];
    for (let index = 0; index < chunks; index++) {
      const chunk = found.get(`${hash}/${index}`);
      if (chunk === undefined) break;
      ordered.push(chunk);
    }
    return ordered;
  }

  #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#options.kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
      });
      await producer.connect();
      return producer;
    })().catch((error) => {
      this.#producer = undefined;
      throw error;
    });
    return this.#producer;
  }
}

import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { RawRecord } from '../../domain/record.ts';
import type { Clock } from '../../ports.ts';
import { type Fetched, PartitionClient, type Place } from './partition-client.ts';
import { wholeTopic } from './range-reader.ts';

/** A topic to follow, and where to begin: with what it holds, with what was appended since, or with what comes. */
export interface FollowedTopic {
  topic: string;
  from: 'beginning' | 'end' | { sinceMs: number };
}

export interface FollowerOptions {
  kafka: Kafka;
  topics: readonly FollowedTopic[];
  clock: Clock;
  logger: Logger;
  /** In the order of offsets within a partition. Whatever it throws ends `ended`. */
  onRecord(topic: string, partition: number, record: RawRecord): void;
  /** After the records of one answer. */
  onDelivered?(): void;
}

const WAIT_MS = 500;
const FETCH_BYTES = 512 * 1024;
const DELAY_MS = 1000;

/**
 * Every record of some topics, for one process that wants them all: no group, so nobody shares and nothing waits for a
 * rebalance. While Kafka is away it tries again and says so. What retention removed before it was read is passed over,
 * and told: whoever follows wants to know how things stand now.
 */
export class TopicFollower {
  readonly #options: FollowerOptions;
  readonly #client: PartitionClient;
  readonly #stopped = new AbortController();
  readonly #places: Place[] = [];
  #running: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#client = new PartitionClient(options.kafka);
  }

  /**
   * Fulfilled when everything that was there at the call has been handed over, topic after topic as they were given.
   * Throws when one is missing.
   */
  async start(): Promise<void> {
    for (const { topic, from } of this.#options.topics) {
      const ends = new Map<Place, number>();
      for (const { partition, from: low, to } of await wholeTopic(this.#client, topic)) {
        const offset = from === 'beginning' ? low : from === 'end' ? to : await this.#since(topic, partition, from);
        ends.set({ topic, partition, offset }, to);
      }
      const behind = () => [...ends].flatMap(([place, end]) => (place.offset < end ? [place] : []));
      while (behind().length > 0 && !this.#stopped.signal.aborted) await this.#nextOrWait(behind());
      this.#places.push(...ends.keys());
    }
    this.#running = this.#follow();
  }

  /** Rejected when `onRecord` threw; fulfilled after `stop`. */
  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running?.catch(() => undefined); // told by `ended`
    await this.#client.close();
  }

  #since(topic: string, partition: number, { sinceMs }: { sinceMs: number }): Promise<number> {
    return this.#client.offsetAt(topic, partition, sinceMs);
  }

  async #follow(): Promise<void> {
    while (!this.#stopped.signal.aborted) await this.#nextOrWait(this.#places);
  }

  async #nextOrWait(places: readonly Place[]): Promise<void> {
    if (!(await this.#next(places))) await this.#options.clock.sleep(DELAY_MS, this.#stopped.signal);
  }

  /** Whether Kafka answered. */
  async #next(places: readonly Place[]): Promise<boolean> {
    let answers: (Fetched & { place: Place })[];
    try {
      answers = await this.#client.fetchAfter(places, WAIT_MS);
      for (const answer of answers) {
        if (answer.records.length > 0 || answer.place.offset >= answer.high) continue;
        // Something is there, and did not fit; or compaction left an empty batch.
        const { topic, partition, offset } = answer.place;
        Object.assign(answer, await this.#client.fetch(topic, partition, offset, FETCH_BYTES));
      }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'cannot follow: trying again');
      await this.#passOver(places).catch((late) => this.#options.logger.debug({ err: late }, 'no bounds'));
      return false;
    }
    for (const { place, next, records } of answers) {
      for (const record of records) this.#options.onRecord(place.topic, place.partition, record);
      place.offset = next;
    }
    if (answers.some(({ records }) => records.length > 0)) this.#options.onDelivered?.();
    return true;
  }

  /** Moves the places that the log does not hold any more to where it begins now. */
  async #passOver(places: readonly Place[]): Promise<void> {
    for (const place of places) {
      const { low, high } = await this.#client.bounds(place.topic, place.partition);
      if (place.offset >= low && place.offset <= high) continue;
      this.#options.logger.error({ ...place, low, high }, 'records were removed before they were read: passed over');
      place.offset = low;
    }
  }
}

import type { Kafka } from 'kafkajs';
import type { RawRecord } from '../../domain/record.ts';
import { systemClock } from '../system-clock.ts';
import {
  type Broker,
  type Cluster,
  clusterOf,
  type FetchedPartition,
  type KafkaMessage,
  READ_UNCOMMITTED,
} from './cluster.ts';

export interface Fetched {
  /** In offset order, all at or after the offset that was asked for. Values are views into one buffer. */
  records: RawRecord[];
  /** Offset after the last position that the answer accounts for; what to ask for next. */
  next: number;
  low: number;
  high: number;
}

export interface Bounds {
  low: number;
  high: number;
}

/** Where a reader of many partitions stands: the offset that it asks for next. */
export interface Place {
  topic: string;
  partition: number;
  offset: number;
}

const ATTEMPTS = 6;
const PAUSE_MS = 50;
const FOLLOW_BYTES_MAX = 4 * 1024 * 1024;
const FOLLOW_PARTITION_BYTES = 512 * 1024;

/** The record as the broker holds it. Also the per-record work of the live path: two numbers and one object. */
export function rawRecord(message: KafkaMessage): RawRecord {
  return {
    offset: Number(message.offset),
    appendMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
  };
}

/**
 * Reads partitions without a consumer group. kafkajs has no public call for that, and a throwaway group costs seconds per
 * read and litters the broker, so this talks to the cluster inside kafkajs.
 */
export class PartitionClient {
  readonly #cluster: Cluster;
  #connected: Promise<void> | undefined;
  #finding: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka) {
    this.#cluster = clusterOf(kafka);
  }

  /** The record at that offset; undefined when the log no longer holds one there. */
  async read(topic: string, partition: number, offset: number): Promise<RawRecord | undefined> {
    const fetched = await this.fetch(topic, partition, offset, 1);
    return fetched?.records.find((record) => record.offset === offset);
  }

  /** Undefined when the log does not hold the offset (any more, or yet). At least one record batch, if there is one. */
  async fetch(topic: string, partition: number, offset: number, bytesMax: number): Promise<Fetched | undefined> {
    return this.#retried(topic, async () => {
      const broker = await this.#leader(topic, partition);
      const response = await broker
        .fetch({
          maxWaitTime: 100,
          minBytes: 0,
          maxBytes: bytesMax,
          isolationLevel: READ_UNCOMMITTED,
          topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: bytesMax }] }],
        })
        .catch((error: { name?: string }) => {
          if (error.name === 'KafkaJSOffsetOutOfRange') return undefined;
          throw error;
        });
      const answer = response?.responses[0]?.partitions[0];
      return answer === undefined ? undefined : fetchedOf(answer, offset);
    });
  }

  /**
   * What comes after all these places, in one request to each broker, which waits for it up to `waitMs`. A place without
   * records in the answer may have some: it did not fit. Throws where a place is not held any more. A client that waits
   * so is for nothing else: the requests of a connection queue up.
   */
  async fetchAfter(places: readonly Place[], waitMs: number): Promise<(Fetched & { place: Place })[]> {
    const [first] = places;
    if (first === undefined) return [];
    return this.#retried(first.topic, async () => {
      for (const topic of new Set(places.map((place) => place.topic))) await this.#cluster.addTargetTopic(topic);
      const answers = await Promise.all(
        [...this.#byLeader(places)].map(async ([nodeId, ofLeader]) => {
          const broker = await this.#broker(nodeId);
          const { responses } = await broker.fetch({
            maxWaitTime: waitMs,
            minBytes: 1,
            maxBytes: FOLLOW_BYTES_MAX,
            isolationLevel: READ_UNCOMMITTED,
            topics: requestOf(ofLeader),
          });
          return responses.flatMap(({ topicName, partitions }) =>
            partitions.map((answer) => {
              const isAnswered = ({ topic, partition }: Place) => topic === topicName && partition === answer.partition;
              const place = ofLeader.find(isAnswered)!;
              const fetched = fetchedOf(answer, place.offset);
              return { ...fetched, next: answer.messages.length === 0 ? place.offset : fetched.next, place };
            }),
          );
        }),
      );
      return answers.flat();
    });
  }

  async bounds(topic: string, partition: number): Promise<Bounds> {
    const [low, high] = await this.#retried(topic, () =>
      Promise.all([
        this.#offset({ topic, partitions: [{ partition }], fromBeginning: true }),
        this.#offset({ topic, partitions: [{ partition }], fromBeginning: false }),
      ]),
    );
    return { low, high };
  }

  /** Undefined when the group never committed. Negative offsets are kafkajs's own notes of a reset, and say nothing. */
  async committed(groupId: string, topic: string, partition: number): Promise<number | undefined> {
    return this.#retried(topic, async () => {
      const coordinator = await this.#cluster.findGroupCoordinator({ groupId });
      const { responses } = await coordinator.offsetFetch({
        groupId,
        topics: [{ topic, partitions: [{ partition }] }],
      });
      const offset = Number(responses[0]?.partitions[0]?.offset ?? -1);
      return offset < 0 ? undefined : offset;
    });
  }

  /** First offset whose time is at or after `timeMs`; the end of the log when there is none. */
  async offsetAt(topic: string, partition: number, timeMs: number): Promise<number> {
    return this.#retried(topic, async () => {
      const end = await this.#offset({ topic, partitions: [{ partition }], fromBeginning: false });
      const found = await this.#offset({ topic, partitions: [{ partition }], fromTimestamp: timeMs });
      return found < 0 ? end : found;
    });
  }

  /** Throws when there is no such topic. */
  async partitions(topic: string): Promise<number[]> {
    return this.#retried(topic, async () => {
      const found = this.#cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      if (found.length === 0) throw new Error(`topic ${topic} has no partitions`);
      return found.sort((a, b) => a - b);
    });
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#cluster.disconnect();
    this.#connected = undefined;
  }

  async #offset(question: Parameters<Cluster['fetchTopicsOffset']>[0][0]): Promise<number> {
    await this.#leader(question.topic, question.partitions[0]!.partition);
    const [answer] = await this.#cluster.fetchTopicsOffset([question]);
    const offset = answer?.partitions[0]?.offset;
    if (offset === undefined) throw new Error(`${question.topic}: no leader told an offset`);
    return Number(offset);
  }

  async #leader(topic: string, partition: number): Promise<Broker> {
    const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]));
    if (nodeId === undefined) throw new Error(`${topic}/${partition}: no leader`);
    return this.#broker(nodeId);
  }

  #byLeader(places: readonly Place[]): Map<string, Place[]> {
    const byLeader = new Map<string, Place[]>();
    for (const place of places) {
      const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(place.topic, [place.partition]));
      if (nodeId === undefined) throw new Error(`${place.topic}/${place.partition}: no leader`);
      byLeader.set(nodeId, [...(byLeader.get(nodeId) ?? []), place]);
    }
    return byLeader;
  }

  async #broker(nodeId: string): Promise<Broker> {
    // One after the other: kafkajs opens a connection for each caller that comes before the first is open, and only
    // the last of them is ever closed.
    const found = this.#finding.then(() => this.#cluster.findBroker({ nodeId }));
    this.#finding = found.catch(() => undefined); // told to its caller by `found`
    return found;
  }

  /**
   * Leaders move, connections break, and a broker may not host yet what the cluster says it leads: each attempt begins
   * with what the cluster says by then, after a pause that doubles, 1.6 s in all.
   */
  async #retried<T>(topic: string, call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#connected ??= this.#cluster.connect();
        await this.#connected;
        await this.#cluster.addTargetTopic(topic);
        await this.#cluster.refreshMetadataIfNecessary();
        return await call();
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        await systemClock.sleep(PAUSE_MS * 2 ** (attempt - 1));
        const { host, port } = error as { host?: string; port?: number };
        if (host !== undefined && port !== undefined) this.#cluster.removeBroker({ host, port });
        if (!this.#cluster.isConnected()) this.#connected = undefined;
        else await this.#cluster.refreshMetadata().catch(() => undefined); // the next attempt tells what is wrong
      }
    }
  }
}

function requestOf(places: readonly Place[]) {
  const topics = new Map<string, { partition: number; fetchOffset: string; maxBytes: number }[]>();
  for (const { topic, partition, offset } of places) {
    const asked = { partition, fetchOffset: String(offset), maxBytes: FOLLOW_PARTITION_BYTES };
    topics.set(topic, [...(topics.get(topic) ?? []), asked]);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

function fetchedOf(answer: FetchedPartition, offset: number): Fetched {
  const high = Number(answer.highWatermark);
  const last = answer.messages.at(-1)?.batchContext;
  // A batch that compaction has emptied holds nothing at `offset`, and says no more than that.
  const next = last === undefined ? Math.min(offset + 1, high) : Number(last.firstOffset) + last.lastOffsetDelta + 1;
  const records = answer.messages
    .filter((message) => !message.isControlRecord && Number(message.offset) >= offset)
    .map(rawRecord);
  return { records, next: Math.max(next, offset), low: Number(answer.lastStartOffset), high };
}

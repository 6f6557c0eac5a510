import type { PartitionClient } from '../../adapters/kafka/partition-client.ts';
import { inOrderOfTime, type Range, rangesBetween } from '../../adapters/kafka/range-reader.ts';
import type { EventSource, LogItem, ResumableSource } from './source.ts';

/**
 * A stretch of the topic of actions, all partitions by append time. It begins in the middle of what sessions do, and their
 * steps before it are not seen. Nothing of it ends: the log goes on.
 */
export class KafkaSource implements EventSource, ResumableSource {
  readonly names: readonly string[];
  readonly #client: PartitionClient;
  readonly #topic: string;
  #ranges: readonly Range[];
  /** By source: the offset after the last one that was read. */
  #next: number[];
  #read = 0;

  private constructor(client: PartitionClient, topic: string, ranges: readonly Range[]) {
    this.#client = client;
    this.#topic = topic;
    this.#ranges = ranges;
    this.#next = ranges.map(({ from }) => from);
    this.names = ranges.map(({ partition }) => `${topic}/${partition}`);
  }

  /** Of records appended from `sinceMs` inclusive to `untilMs` exclusive. Throws where there are none. */
  static async open(
    client: PartitionClient,
    topic: string,
    { sinceMs, untilMs }: { sinceMs: number | undefined; untilMs: number | undefined },
  ): Promise<KafkaSource> {
    const ranges = await rangesBetween(client, topic, sinceMs, untilMs);
    if (ranges.every(({ from, to }) => from === to)) throw new Error(`${topic} holds no records of that time`);
    return new KafkaSource(client, topic, ranges);
  }

  /** Offsets that compaction left empty are never read, so this may end below 1. */
  shareRead(): number {
    return this.#read / this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  async *items(): AsyncGenerator<LogItem> {
    const sources = new Map(this.#ranges.map(({ partition }, source) => [partition, source]));
    for await (const { partition, record } of inOrderOfTime(this.#client, this.#topic, this.#ranges)) {
      this.#read++;
      const source = sources.get(partition)!;
      this.#next[source] = record.offset + 1;
      yield { type: 'record', log: source, place: { source, at: record.offset }, raw: record };
    }
  }

  /** The ranges of the run that is resumed hold, also where the log has become longer since. */
  async *undecoded(from: unknown): AsyncGenerator<LogItem[]> {
    if (from !== undefined) {
      this.#ranges = from as Range[];
      this.#next = this.#ranges.map((range) => range.from);
    }
    for await (const item of this.items()) yield [item];
  }

  position(): Range[] {
    return this.#ranges.map((range, source) => ({ ...range, from: this.#next[source]! }));
  }
}

import { partitionOf } from '../../domain/partitioner.ts';
import type { RawRecord } from '../../domain/record.ts';
import type { Clock } from '../../ports.ts';

export interface MemoryLogOptions {
  topic: string;
  topicId: string;
  partitions: number;
  /** Gives the append times. */
  clock: Pick<Clock, 'nowMs'>;
}

export type Entry = Omit<RawRecord, 'offset' | 'appendMs'>;

interface Part {
  low: number;
  records: RawRecord[];
  waiting: (() => void)[];
}

/** A partitioned log in memory: what Kafka is to the service, for one process and as long as it lives. */
export class MemoryLog {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #parts: Part[];

  constructor({ topic, topicId, partitions, clock }: MemoryLogOptions) {
    this.topic = topic;
    this.topicId = topicId;
    this.partitions = partitions;
    this.#clock = clock;
    this.#parts = Array.from({ length: partitions }, () => ({ low: 0, records: [], waiting: [] }));
  }

  /** Appends and returns where. Without a partition, murmur2 of the key chooses it, as in Kafka. */
  append(
    entry: Entry,
    partition = partitionOf(entry.key ?? '', this.partitions),
  ): { partition: number; offset: number } {
    const part = this.#part(partition);
    const offset = part.low + part.records.length;
    part.records.push({ ...entry, offset, appendMs: this.#clock.nowMs() });
    for (const wake of part.waiting.splice(0)) wake();
    return { partition, offset };
  }

  bounds(partition: number): { low: number; high: number } {
    const { low, records } = this.#part(partition);
    return { low, high: low + records.length };
  }

  /** Records from `offset`, at most `recordsMax`. */
  slice(partition: number, offset: number, recordsMax: number): RawRecord[] {
    const { low, records } = this.#part(partition);
    return records.slice(offset - low, offset - low + recordsMax);
  }

  read(partition: number, offset: number): RawRecord | undefined {
    const { low, records } = this.#part(partition);
    return records[offset - low];
  }

  /** First offset whose append time is at or after `timeMs`; the end of the log when there is none. */
  offsetAt(partition: number, timeMs: number): number {
    const { low, records } = this.#part(partition);
    const found = records.findIndex(({ appendMs }) => appendMs >= timeMs);
    return low + (found < 0 ? records.length : found);
  }

  /** What retention does: the log begins at `offset` from here. */
  deleteBefore(partition: number, offset: number): void {
    const part = this.#part(partition);
    const count = Math.min(Math.max(offset - part.low, 0), part.records.length);
    part.records.splice(0, count);
    part.low += count;
  }

  /** Fulfilled when the partition reaches beyond `offset`, or when the signal aborts. */
  async reaches(partition: number, offset: number, signal: AbortSignal): Promise<void> {
    const part = this.#part(partition);
    while (part.low + part.records.length <= offset && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        part.waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  #part(partition: number): Part {
    const part = this.#parts[partition];
    if (part === undefined)
      throw new Error(`${this.topic}: partition ${partition}, allowed: 0 to ${this.partitions - 1}`);
    return part;
  }
}

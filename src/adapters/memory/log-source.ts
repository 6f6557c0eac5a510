import { setImmediate } from 'node:timers/promises';
import { type Assignment, type Clock, LogGap, type LogReader, type LogSource } from '../../ports.ts';
import type { MemoryLog } from './log.ts';

export interface MemoryLogSourceOptions {
  log: MemoryLog;
  clock: Clock;
  /** Offsets that the group has committed: the part of a group that outlives its members. */
  committed?: Map<number, number>;
  recordsMax?: number;
}

const RECORDS_MAX = 500;
const DELAY_MIN_MS = 50;
const DELAY_MAX_MS = 5000;

/** The only member of its group: holds all partitions from `run` to `stop`. */
export class MemoryLogSource implements LogSource {
  readonly #log: MemoryLog;
  readonly #clock: Clock;
  readonly #recordsMax: number;
  readonly #committed: Map<number, number>;
  readonly #stopped = new AbortController();
  readonly #lost = new Map<number, AbortController>();
  readonly #atEnd = new Set<number>();
  #drained: (() => void)[] = [];
  #failure: Error | undefined;
  #finished: Promise<void> | undefined;

  constructor({ log, clock, committed = new Map(), recordsMax = RECORDS_MAX }: MemoryLogSourceOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#committed = committed;
    this.#recordsMax = recordsMax;
  }

  run(reader: LogReader): Promise<void> {
    if (this.#finished !== undefined) throw new Error('a source runs once');
    this.#finished = this.#run(reader);
    return this.#finished;
  }

  async commit(partition: number, next: number): Promise<void> {
    this.#committed.set(partition, next);
  }

  reassign(partition: number): void {
    this.#lost.get(partition)?.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#finished?.catch(() => undefined); // told by `run`
  }

  /** `run` rejects with this instead of delivering the next batch: the log went away. */
  failNext(error: Error): void {
    this.#failure = error;
    for (const partition of this.#lost.keys()) this.reassign(partition);
  }

  /** Fulfilled when the reader has fulfilled everything that the log holds. */
  async drained(): Promise<void> {
    if (this.#atEnd.size < this.#log.partitions) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  async #run(reader: LogReader): Promise<void> {
    reader.held(Array.from({ length: this.#log.partitions }, (_, partition) => partition));
    const all = Array.from({ length: this.#log.partitions }, (_, partition) => this.#hold(partition, reader));
    try {
      await Promise.all(all);
    } catch (error) {
      this.#stopped.abort();
      await Promise.allSettled(all);
      throw error;
    }
  }

  async #hold(partition: number, reader: LogReader): Promise<void> {
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      const lost = new AbortController();
      this.#lost.set(partition, lost);
      try {
        this.#failIfTold();
        await this.#read(partition, reader, lost.signal, () => {
          failures = 0;
        });
      } catch (error) {
        if (error instanceof LogGap || error instanceof SourceFailure) throw error;
        await this.#clock.sleep(Math.min(DELAY_MIN_MS * 2 ** failures++, DELAY_MAX_MS), this.#stopped.signal);
      } finally {
        this.#atEnd.delete(partition);
        lost.abort();
      }
    }
  }

  async #read(partition: number, reader: LogReader, lost: AbortSignal, onProgress: () => void): Promise<void> {
    const stopped = this.#stopped.signal;
    const over = AbortSignal.any([stopped, lost]);
    const heartbeat = async () => {
      if (over.aborted) throw new Error(`partition ${partition}: the assignment has ended`);
    };
    let next = await reader.assigned(this.#assignment(partition, lost));
    while (!over.aborted) {
      const { low, high } = this.#log.bounds(partition);
      if (!(next >= low && next <= high)) throw new LogGap(this.#log.topic, partition, next, { low, high });
      if (next === high) {
        this.#waitsAtEnd(partition);
        await this.#log.reaches(partition, next, over);
        this.#atEnd.delete(partition);
        continue;
      }
      this.#failIfTold();
      const records = this.#log.slice(partition, next, this.#recordsMax);
      const end = next + records.length;
      await reader.batch({ partition, first: next, next: end, records, high, heartbeat });
      next = end;
      onProgress();
      await setImmediate(); // signals, timers and the screen get their turn
    }
  }

  #assignment(partition: number, lost: AbortSignal): Assignment {
    const { topicId, partitions } = this.#log;
    return {
      topicId,
      partition,
      partitions,
      ...this.#log.bounds(partition),
      committed: this.#committed.get(partition),
      lost,
      read: async (offset) => this.#log.read(partition, offset),
      offsetAt: async (timeMs) => this.#log.offsetAt(partition, timeMs),
    };
  }

  #waitsAtEnd(partition: number): void {
    this.#atEnd.add(partition);
    if (this.#atEnd.size < this.#log.partitions) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #failIfTold(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw new SourceFailure(failure);
  }
}

class SourceFailure extends Error {
  override readonly name = 'SourceFailure';

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

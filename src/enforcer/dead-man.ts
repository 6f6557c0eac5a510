import type { Lease } from '../domain/output.ts';
import { partitionOf } from '../domain/partitioner.ts';

export interface Silence {
  partition: number;
  silentMs: number;
}

/**
 * Whether somebody judges the partition of a session: the owner of a partition renews its lease every second or so. Time
 * is the monotonic clock of this process, counted from when a lease came, so a wall clock that jumps pauses nobody. What
 * came before this process began counts as of its beginning: a start grants one grace.
 */
export class DeadMan {
  readonly #afterMs: number;
  readonly #startedMs: number;
  readonly #renewedMs = new Map<number, number>();
  #partitions: number;

  constructor(options: { afterMs: number; partitions: number; nowMs: number }) {
    this.#afterMs = options.afterMs;
    this.#partitions = options.partitions;
    this.#startedMs = options.nowMs;
  }

  lease({ partition, partitions }: Lease, nowMs: number): void {
    this.#partitions = partitions;
    this.#renewedMs.set(partition, nowMs);
  }

  /** Undefined while somebody judges. */
  silenceOf(session: string, nowMs: number): Silence | undefined {
    const partition = partitionOf(session, this.#partitions);
    const silentMs = nowMs - (this.#renewedMs.get(partition) ?? this.#startedMs);
    return silentMs > this.#afterMs ? { partition, silentMs } : undefined;
  }
}

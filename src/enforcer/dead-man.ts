import type { Lease } from '../domain/output.ts';
import { partitionOf } from '../domain/partitioner.ts';
import type { HostedSession } from './hands.ts';

const ALL_PAUSE: BlindChoice = { tenants: {}, others: 'pause' };

/** What becomes of a session while nobody judges it: it waits (fail closed), or it goes on unwatched (fail open). */
export type WhileBlind = 'pause' | 'run';

export interface BlindChoice {
  /** By tenant. */
  tenants: Readonly<Record<string, WhileBlind>>;
  /** For every other session, and for one of no tenant. */
  others: WhileBlind;
}

export interface Silence {
  partition: number;
  silentMs: number;
  then: WhileBlind;
}

/**
 * Whether somebody judges the partition of a session: the owner of a partition renews its lease every second or so. Time
 * is the monotonic clock of this process, counted from when a lease came, so a wall clock that jumps pauses nobody. What
 * came before this process began counts as of its beginning: a start grants one grace.
 */
export class DeadMan {
  readonly #afterMs: number;
  readonly #startedMs: number;
  readonly #whileBlind: BlindChoice;
  readonly #renewedMs = new Map<number, number>();
  #partitions: number;

  constructor(options: { afterMs: number; partitions: number; nowMs: number; whileBlind?: BlindChoice | undefined }) {
    this.#whileBlind = options.whileBlind ?? ALL_PAUSE;
    this.#afterMs = options.afterMs;
    this.#partitions = options.partitions;
    this.#startedMs = options.nowMs;
  }

  lease({ partition, partitions }: Lease, nowMs: number): void {
    this.#partitions = partitions;
    this.#renewedMs.set(partition, nowMs);
  }

  /** Undefined while somebody judges. */
  silenceOf({ session, tenant }: Pick<HostedSession, 'session' | 'tenant'>, nowMs: number): Silence | undefined {
    const partition = partitionOf(session, this.#partitions);
    const silentMs = nowMs - (this.#renewedMs.get(partition) ?? this.#startedMs);
    if (silentMs <= this.#afterMs) return undefined;
    const { tenants, others } = this.#whileBlind;
    const then = tenant !== undefined && Object.hasOwn(tenants, tenant) ? tenants[tenant]! : others;
    return { partition, silentMs, then };
  }
}

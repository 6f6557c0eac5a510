import { formatInstant } from '../domain/instant.ts';
import type { Output } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { Clock, Outlet } from '../ports.ts';
import { TICK_INTERVAL_MS } from './owner-ticks.ts';
import type { PartitionWorker } from './partition-worker.ts';
import { RESTATED_PER_RETENTION } from './restated.ts';

export interface OwnerRecordParts {
  outlet: Outlet;
  clock: Clock;
  leaseIntervalMs: number;
  /** How long the log keeps a record, ms; Infinity without a limit. */
  retentionMs: number;
}

/** What the owner of a partition says at intervals, whether or not anything happens in it. */
export class OwnerRecords {
  readonly #parts: OwnerRecordParts;
  readonly #leasedMs = new Map<number, number>();
  readonly #restatedMs = new Map<number, number>();
  readonly #tickedMs = new Map<number, number>();
  #waiting: Output[] = [];
  #gathered: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: OwnerRecordParts) {
    this.#parts = parts;
  }

  /** Monotonic time of the last lease that is out; undefined before the first. */
  leasedMs(partition: number): number | undefined {
    return this.#leasedMs.get(partition);
  }

  async publishDue(worker: PartitionWorker): Promise<void> {
    const { clock, leaseIntervalMs, retentionMs } = this.#parts;
    const { partition } = worker.assignment;
    const nowMs = clock.monotonicMs();
    if (isDue(this.#leasedMs.get(partition), nowMs, leaseIntervalMs)) {
      await this.#publish(leaseOf(worker));
      this.#leasedMs.set(partition, nowMs);
    }
    const tick = tickOf(worker, clock.nowMs());
    if (tick !== undefined && isDue(this.#tickedMs.get(partition), nowMs, TICK_AGAIN_MS)) {
      await this.#publish(tick);
      this.#tickedMs.set(partition, nowMs);
    }
    const everyMs = retentionMs / RESTATED_PER_RETENTION;
    // What was written a moment ago has not come back yet.
    if (!isDue(this.#restatedMs.get(partition), nowMs, everyMs)) return;
    const restatement = restatementOf(worker, clock.nowMs() - everyMs);
    if (restatement === undefined) return;
    await this.#publish(restatement);
    this.#restatedMs.set(partition, nowMs);
  }

  /** Together with what other partitions say meanwhile: one request for all costs what one for each would. */
  #publish(output: Output): Promise<void> {
    this.#waiting.push(output);
    this.#gathered ??= this.#last.then(() => {
      const gathered = this.#waiting;
      this.#waiting = [];
      this.#gathered = undefined;
      return this.#parts.outlet.publish(gathered);
    });
    this.#last = this.#gathered.catch(() => undefined); // told to those who wait for it
    return this.#gathered;
  }
}

/** Says how far the partition is judged. It can only lag behind the truth. */
function leaseOf({ assignment, next, processedThroughMs }: PartitionWorker): Output {
  const { partition, partitions, topicId } = assignment;
  const position = { topicId, partition, offset: String(next) };
  const lease = { partition, partitions, processedThrough: formatInstant(processedThroughMs), position };
  return { topic: 'leases', key: String(partition), lease };
}

/** Where the broker's clock is behind ours, what is due by ours takes more than one tick. */
const TICK_AGAIN_MS = 5000;

/** Lets the time pass in a partition where a deadline is pending and nothing else comes. */
function tickOf(
  { assignment: { partition: number }, partition, atEnd }: PartitionWorker,
  nowMs: number,
): Output | undefined {
  const { clockMs } = partition.state;
  if (!atEnd || partition.pending.size === 0) return undefined;
  if (nowMs < Math.min(partition.nextDueMs, clockMs + TICK_INTERVAL_MS)) return undefined;
  return { topic: 'actions', key: controlKey(number), partition: number, record: { type: 'tick.v1', body: {} } };
}

/**
 * Repeats what holds for the whole partition before retention removes the record that said it, also in a partition
 * where nothing else comes. Only at the end of the log: from further back it would put an old policy behind a newer.
 */
function restatementOf({ assignment, partition, atEnd }: PartitionWorker, beforeMs: number): Output | undefined {
  const { clockMs, policy, orders, drift, restatedMs } = partition.state;
  if (!policy || !atEnd || restatedMs > beforeMs) return undefined;
  const record = { type: 'state.restated.v1', body: { clockMs, policy, orders, ...(drift && { drift }) } } as const;
  const { partition: number } = assignment;
  return { topic: 'actions', key: controlKey(number), partition: number, record };
}

function isDue(lastMs: number | undefined, nowMs: number, everyMs: number): boolean {
  return lastMs === undefined || nowMs - lastMs >= everyMs;
}

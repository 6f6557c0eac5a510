import { formatInstant } from '../domain/instant.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { Assignment, Batch, LogReader, LogSource } from '../ports.ts';
import { TenureLost } from '../ports.ts';
import { PartitionWorker, type WorkerParts } from './partition-worker.ts';
import { LogChanged, RESTATED_PER_RETENTION, type TakeoverParts, takeOver } from './take-over.ts';

export interface AnalyzerParts extends WorkerParts, TakeoverParts {
  source: LogSource;
  /** 0: after every batch. */
  checkpointIntervalMs: number;
  probeIntervalMs: number;
  leaseIntervalMs: number;
  /** Called once a partition is taken over, before its first record. */
  onReady?(worker: PartitionWorker): Promise<void>;
  /** Called where going on would be wrong for every partition: the process must end. */
  onFatal(error: Error): void;
}

/**
 * Judges the partitions that the source assigns: one worker each, and one loop that saves and probes them.
 *
 * An error of a partition ends its worker and only that: the source assigns it again, and the new worker begins at
 * the last checkpoint. What concerns the whole log (another log, a gap) ends `run` of the source.
 */
export class Analyzer implements LogReader {
  readonly #parts: AnalyzerParts;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #savedMs = new Map<number, number>();
  readonly #leasedMs = new Map<number, number>();
  readonly #stopped = new AbortController();
  #looping: Promise<void> | undefined;

  constructor(parts: AnalyzerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#looping = this.#loop();
  }

  async assigned(assignment: Assignment): Promise<number> {
    const { partition: number, lost } = assignment;
    this.#drop(number);
    const takeover = await takeOver(assignment, this.#parts).catch((error) => {
      if (error instanceof LogChanged) this.#parts.onFatal(error);
      throw error;
    });
    if (takeover.judgeFrom < assignment.high && !takeover.tenure.checkpoint && takeover.quietUntil > 0) {
      this.#parts.stats.rebuilds++;
    }
    const worker = new PartitionWorker(assignment, takeover, this.#parts);
    await this.#parts.onReady?.(worker);
    this.#workers.set(number, worker);
    const nowMs = this.#parts.clock.monotonicMs();
    this.#savedMs.set(number, nowMs);
    this.#parts.stats.partitions.set(number, {
      ready: true,
      lag: assignment.high - worker.next,
      checkpointedMs: nowMs,
    });
    this.#parts.stats.policyHash = worker.partition.state.policy?.hash ?? this.#parts.stats.policyHash;
    // A lost worker may still save what it has: whoever owns the partition then has another token.
    lost.addEventListener('abort', () => this.#markLost(worker), { once: true });
    return worker.next;
  }

  async batch(batch: Batch): Promise<void> {
    const worker = this.#workers.get(batch.partition);
    if (!worker) throw new Error(`partition ${batch.partition} has no worker`);
    const { accounting } = worker.partition.state;
    const before = { ...accounting };
    try {
      await worker.batch(batch);
      if (this.#parts.checkpointIntervalMs === 0 || this.#saveIsDue(batch.partition)) {
        const saving = this.#save(worker);
        if (this.#parts.checkpointIntervalMs === 0) await saving;
        else saving.catch((error) => this.#giveUp(worker, error));
      }
    } catch (error) {
      this.#report(worker, error);
      throw error;
    }
    const { stats } = this.#parts;
    stats.beforePolicy += accounting.beforePolicy - before.beforePolicy;
    stats.duplicates += accounting.repeated - before.repeated;
    stats.policyHash = worker.partition.state.policy?.hash ?? stats.policyHash;
    const partition = stats.partitions.get(batch.partition);
    if (partition) partition.lag = batch.high - batch.next;
  }

  /** Saves what every partition has. What cannot be saved is not lost: it will be judged again. */
  async saveAll(): Promise<void> {
    for (const worker of this.#workers.values()) {
      try {
        await this.#save(worker);
      } catch (error) {
        this.#report(worker, error);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#looping;
  }

  async #loop(): Promise<void> {
    const { clock, probeIntervalMs } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await clock.sleep(probeIntervalMs, signal);
      await Promise.all([...this.#workers.values()].map((worker) => this.#tend(worker)));
    }
  }

  /** What a partition needs when no batch comes: a save of what the last one left, else a look at the store. */
  async #tend(worker: PartitionWorker): Promise<void> {
    try {
      if (worker.unsaved && this.#saveIsDue(worker.assignment.partition)) await this.#save(worker);
      else await worker.probe();
      await this.#lease(worker);
    } catch (error) {
      this.#giveUp(worker, error);
    }
  }

  #saveIsDue(partition: number): boolean {
    const { clock, checkpointIntervalMs } = this.#parts;
    return clock.monotonicMs() - (this.#savedMs.get(partition) ?? 0) >= checkpointIntervalMs;
  }

  async #save(worker: PartitionWorker): Promise<void> {
    if (!worker.unsaved) return;
    const next = await worker.checkpoint();
    if (next === undefined) return;
    const { partition } = worker.assignment;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#savedMs.set(partition, nowMs);
    const stats = this.#parts.stats.partitions.get(partition);
    if (stats) stats.checkpointedMs = nowMs;
    await this.#parts.source.commit(partition, next);
    await this.#restate(worker);
  }

  /** Says how far the partition is judged. It can only lag behind the truth. */
  async #lease(worker: PartitionWorker): Promise<void> {
    const { clock, leaseIntervalMs, outlet } = this.#parts;
    const { partition, partitions, topicId } = worker.assignment;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#leasedMs.get(partition) ?? Number.NEGATIVE_INFINITY) < leaseIntervalMs) return;
    this.#leasedMs.set(partition, nowMs);
    const position = { topicId, partition, offset: String(worker.next) };
    const processedThrough = formatInstant(worker.partition.state.clockMs);
    const lease = { partition, partitions, processedThrough, position };
    await outlet.publish([{ topic: 'leases', key: String(partition), lease }]);
  }

  /** Repeats what holds for the whole partition before retention removes the record that said it. */
  async #restate({ assignment: { partition }, partition: { state } }: PartitionWorker): Promise<void> {
    const { retentionMs, outlet } = this.#parts;
    if (!state.policy || state.clockMs - state.restatedMs < retentionMs / RESTATED_PER_RETENTION) return;
    const body = { clockMs: state.clockMs, policy: state.policy, orders: state.orders };
    const record = { type: 'state.restated.v1', body } as const;
    await outlet.publish([{ topic: 'actions', key: controlKey(partition), partition, record }]);
  }

  #markLost(worker: PartitionWorker): void {
    const stats = this.#parts.stats.partitions.get(worker.assignment.partition);
    if (stats) stats.ready = false;
    if (this.#workers.get(worker.assignment.partition) === worker && !this.#stopped.signal.aborted) {
      this.#drop(worker.assignment.partition);
    }
  }

  #drop(partition: number): void {
    this.#workers.delete(partition);
    this.#parts.stats.partitions.delete(partition);
  }

  #giveUp(worker: PartitionWorker, error: unknown): void {
    if (this.#workers.get(worker.assignment.partition) !== worker) return;
    this.#report(worker, error);
    this.#drop(worker.assignment.partition);
    this.#parts.source.reassign(worker.assignment.partition);
  }

  #report({ assignment: { partition } }: PartitionWorker, error: unknown): void {
    if (error instanceof TenureLost) this.#parts.stats.tenuresLost[error.reason]++;
    const reason = error instanceof TenureLost ? error.reason : undefined;
    this.#parts.logger.warn({ partition, reason, err: error }, 'partition given up, it will be taken over again');
  }
}

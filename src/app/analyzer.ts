import { expiryText, isExpired } from '../domain/expiry.ts';
import type { Assignment, Batch, LogReader, LogSource } from '../ports.ts';
import { TenureLost } from '../ports.ts';
import { CatchUp } from './catch-up.ts';
import { StateUnusable } from './checkpoint-body.ts';
import { type Account, accountOf, Ledger } from './ledger.ts';
import { type OwnerRecordParts, OwnerRecords } from './owner-records.ts';
import { PartitionWorker, type WorkerParts } from './partition-worker.ts';
import { LogChanged, type TakeoverParts, takeOver } from './take-over.ts';

export interface AnalyzerParts extends WorkerParts, TakeoverParts, OwnerRecordParts {
  source: LogSource;
  /** 0: after every batch. */
  checkpointIntervalMs: number;
  probeIntervalMs: number;
  /** Called once for each take-over, when the partition has read all that the log held then. */
  onCaughtUp?(worker: PartitionWorker): Promise<void>;
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
  readonly #records: OwnerRecords;
  readonly #ledger: Ledger;
  readonly #catchUp: CatchUp;
  readonly #workers = new Map<number, PartitionWorker>();
  /** Partitions whose stored state a worker could not use, and why. */
  readonly #unusable = new Map<number, string>();
  /** Workers that have read all that the log held when they took over. */
  readonly #caughtUp = new WeakSet<PartitionWorker>();
  readonly #tending = new Map<PartitionWorker, Promise<void>>();
  readonly #stopped = new AbortController();
  #looping: Promise<void> | undefined;
  #warned = false;
  readonly #toldExpired = new Set<string>();

  constructor(parts: AnalyzerParts) {
    this.#parts = parts;
    this.#records = new OwnerRecords(parts);
    this.#ledger = new Ledger(parts);
    this.#catchUp = new CatchUp(parts);
  }

  start(): void {
    this.#looping = this.#loop();
  }

  held(partitions: readonly number[]): void {
    const { stats, clock, logger } = this.#parts;
    logger.info({ partitions }, 'the group gave this process its partitions');
    stats.joined = true;
    const held = new Set(partitions);
    for (const partition of stats.partitions.keys()) if (!held.has(partition)) stats.partitions.delete(partition);
    const checkpointedMs = clock.monotonicMs();
    for (const partition of partitions) {
      const known = stats.partitions.get(partition);
      if (known === undefined) stats.partitions.set(partition, { ready: false, lag: 0, checkpointedMs });
    }
  }

  async assigned(assignment: Assignment): Promise<number> {
    const { partition: number, lost, high } = assignment;
    this.#workers.delete(number);
    try {
      const takeover = await takeOver(assignment, this.#parts, this.#unusable.get(number));
      this.#unusable.delete(number);
      if (lost.aborted) throw new Error(`partition ${number}: the assignment ended while it was taken over`);
      const worker = new PartitionWorker(assignment, takeover, this.#parts);
      this.#workers.set(number, worker);
      // A lost worker may still save what it has: whoever owns the partition then has another token.
      lost.addEventListener('abort', () => this.#lose(worker), { once: true });
      if (worker.next >= high) await this.#noteCaughtUp(worker);
      if (!lost.aborted) this.#ledger.taken(worker);
      this.#ledger.followed(worker.partition.plan);
      return worker.next;
    } catch (error) {
      this.#workers.delete(number);
      if (error instanceof LogChanged) this.#parts.onFatal(error);
      this.#report(number, error);
      throw error;
    }
  }

  async batch(batch: Batch): Promise<void> {
    const { checkpointIntervalMs, stats, clock } = this.#parts;
    const worker = this.#workers.get(batch.partition);
    if (!worker) throw new Error(`partition ${batch.partition} has no worker`);
    const before = accountOf(worker);
    const beganMs = clock.monotonicMs();
    try {
      await worker.batch(batch);
      stats.batch.observe(clock.monotonicMs() - beganMs);
      if (!this.#caughtUp.has(worker)) this.#catchUp.note(worker);
      if (!this.#caughtUp.has(worker) && worker.next >= worker.assignment.high) await this.#noteCaughtUp(worker);
      if (worker.mustSave) await this.#saveNow(worker);
      else if (checkpointIntervalMs === 0) await this.#save(worker);
      else if (worker.unsavedForMs >= checkpointIntervalMs) {
        this.#save(worker).catch((error) => {
          if (this.#giveUp(worker, error)) this.#parts.source.reassign(batch.partition);
        });
      }
    } catch (error) {
      this.#giveUp(worker, error);
      throw error;
    }
    this.#count(worker, before, batch);
    if (this.#workers.get(batch.partition) === worker) this.#ledger.judged(worker, batch.high - batch.next);
  }

  /** Saves what every partition has. What cannot be saved is not lost: it will be judged again. */
  async saveAll(): Promise<void> {
    const saving = [...this.#workers.values()].map(async (worker) => {
      try {
        await worker.lastCheckpoint();
      } catch (error) {
        this.#report(worker.assignment.partition, error);
      }
    });
    await Promise.all(saving);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#looping;
    await Promise.all(this.#tending.values());
  }

  async #loop(): Promise<void> {
    const { clock, probeIntervalMs } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await clock.sleep(probeIntervalMs, signal);
      this.#tellExpired();
      // A partition that waits for an answer keeps no other waiting.
      for (const worker of this.#workers.values()) {
        if (signal.aborted || this.#tending.has(worker)) continue;
        const tending = this.#tend(worker).finally(() => this.#tending.delete(worker));
        this.#tending.set(worker, tending);
      }
    }
  }

  /** What a partition needs when no batch comes: a save of what the last one left, else a look at the store. */
  async #tend(worker: PartitionWorker): Promise<void> {
    const { source, checkpointIntervalMs } = this.#parts;
    const { partition } = worker.assignment;
    try {
      if (worker.unsaved && worker.unsavedForMs >= checkpointIntervalMs) await this.#save(worker);
      else await worker.probe();
      await this.#records.publishDue(worker);
      if (this.#workers.get(partition) === worker) this.#ledger.proven(worker, this.#records.leasedMs(partition));
    } catch (error) {
      if (this.#giveUp(worker, error)) source.reassign(partition);
    }
  }

  async #save(worker: PartitionWorker): Promise<void> {
    const { clock, stats, source } = this.#parts;
    const { partition } = worker.assignment;
    if (!worker.unsaved) return;
    const next = await worker.checkpoint();
    if (next === undefined) return;
    const known = stats.partitions.get(partition);
    if (known) known.checkpointedMs = clock.monotonicMs();
    if (!worker.behindCommitted) await source.commit(partition, next);
  }

  /** Also when a checkpoint is under way: what has changed since is not in it. */
  async #saveNow(worker: PartitionWorker): Promise<void> {
    await worker.saved();
    await this.#save(worker);
  }

  async #noteCaughtUp(worker: PartitionWorker): Promise<void> {
    await this.#parts.onCaughtUp?.(worker);
    this.#caughtUp.add(worker);
  }

  #count(worker: PartitionWorker, before: Account, batch: Batch): void {
    const { logger } = this.#parts;
    const { rebuiltFromMs } = worker.partition.state;
    const unjudged = this.#ledger.account(worker, before, batch);
    this.#ledger.followed(worker.partition.plan);
    if (unjudged === 0 || this.#warned) return;
    this.#warned = true;
    const { partition } = worker.assignment;
    if (rebuiltFromMs !== undefined) {
      const message = 'the part of the log that is left names no policy: actions are counted, not judged';
      logger.error({ partition }, `${message}. Use firebreak activate --force`);
    } else {
      const message = 'actions come before the first policy: they are counted, not judged';
      logger.warn({ partition }, `${message}. Use firebreak activate DIR, or run --rules DIR`);
    }
  }

  /** Once for each; whether they judge is a matter of the log's time, when people hear of it is not. */
  #tellExpired(): void {
    const { stats, clock, logger } = this.#parts;
    const nowMs = clock.nowMs();
    for (const one of stats.expiries) {
      const { kind, name, owner, date } = one;
      const key = `${kind} ${name} ${date}`;
      if (this.#toldExpired.has(key) || !isExpired(one, nowMs)) continue;
      this.#toldExpired.add(key);
      logger.warn({ kind, name, owner, date }, `in the policy that is followed: ${expiryText(one, nowMs)}`);
    }
  }

  #lose(worker: PartitionWorker): void {
    const { partition } = worker.assignment;
    if (this.#workers.get(partition) !== worker) return;
    const known = this.#parts.stats.partitions.get(partition);
    if (known) known.ready = false;
    if (!this.#stopped.signal.aborted) this.#workers.delete(partition);
  }

  /** Drops the memory of a partition. Answers false when somebody has done so already. */
  #giveUp(worker: PartitionWorker, error: unknown): boolean {
    const { partition } = worker.assignment;
    if (this.#workers.get(partition) !== worker) return false;
    this.#workers.delete(partition);
    if (error instanceof StateUnusable) this.#unusable.set(partition, error.message);
    this.#report(partition, error);
    return true;
  }

  #report(partition: number, error: unknown): void {
    const { stats, logger } = this.#parts;
    const reason = error instanceof TenureLost ? error.reason : undefined;
    stats.givenUp++;
    if (reason !== undefined) stats.tenuresLost[reason]++;
    const known = stats.partitions.get(partition);
    if (known) Object.assign(known, { ready: false, reason: error instanceof Error ? error.message : String(error) });
    logger.warn({ partition, reason, err: error }, 'partition given up, it will be taken over again');
  }
}

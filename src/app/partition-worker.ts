import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import { traceBatch } from '../adapters/telemetry/tracing.ts';
import type { Output } from '../domain/output.ts';
import type { LogRecord } from '../domain/record.ts';
import type { Partition } from '../engine/partition.ts';
import { decodeSession } from '../engine/session/codec.ts';
import { needs, step } from '../engine/step.ts';
import { decodeRecord, type MustSign } from '../formats/log-record.ts';
import type { Keyring } from '../formats/signature.ts';
import { type Assignment, type Batch, type Clock, type Outlet, type Tenure, TenureLost } from '../ports.ts';
import { cutBatch } from './batch-parts.ts';
import { type CheckpointBody, digestOf, encodeCheckpointBody, usable } from './checkpoint-body.ts';
import { writeCheckpoint } from './checkpoint-writer.ts';
import type { Policies } from './policies.ts';
import { publishedRecord } from './published.ts';
import type { Repetition } from './repetition.ts';
import { ResidentSessions } from './resident-sessions.ts';
import type { Takeover } from './take-over.ts';
import { tell } from './tell.ts';

export interface WorkerParts {
  topic: string;
  outlet: Outlet;
  policies: Policies;
  keyring: Keyring | undefined;
  mustSign?: MustSign;
  clock: Clock;
  stats: Stats;
  logger: Logger;
  /** For the sessions in memory of all partitions of this process. */
  sessionBytesMax: number;
}

/** What a session that is new takes in memory. */
const UNSAVED_BYTES = 8 * 1024;
/** However little the budget is: a checkpoint costs a round trip. */
const UNSAVED_MIN = 1000;

/**
 * One partition in this process, from taking over to losing it.
 *
 *   batch:       decode ──► load what the records need ──► step ──► publish and wait ──► next
 *   checkpoint:  between batches: fix `next`, state and changed sessions ──► chunk … chunk ──► last chunk moves `next`
 *
 * Nothing is saved that rests on an output which is not acknowledged. After any failure the worker is of no use any
 * more: its memory is dropped, and whoever owns the partition begins at the last checkpoint.
 */
export class PartitionWorker {
  readonly assignment: Assignment;
  readonly partition: Partition;
  readonly #parts: WorkerParts;
  readonly #tenure: Tenure;
  readonly #resident: ResidentSessions;
  #repetition: Repetition | undefined;
  #next: number;
  #high: number;
  #processedThroughMs: number;
  #savedNext: number;
  #savedMs: number;
  #last: CheckpointBody['last'];
  #busy = false;
  #saving: Promise<number> | undefined;
  #failure: Error | undefined;

  constructor(assignment: Assignment, takeover: Takeover, parts: WorkerParts) {
    this.assignment = assignment;
    this.#parts = parts;
    this.#tenure = takeover.tenure;
    this.partition = takeover.partition;
    this.#resident = new ResidentSessions(takeover.partition);
    this.#repetition = takeover.repetition;
    this.#next = takeover.next;
    this.#high = assignment.high;
    this.#processedThroughMs = takeover.partition.state.clockMs;
    this.#savedNext = takeover.tenure.checkpoint?.next ?? -1;
    this.#savedMs = parts.clock.monotonicMs();
    this.#last = takeover.last;
    this.#repetition?.passTo(this.partition, this.#next);
  }

  /** Everything before is judged, and its outputs are acknowledged. */
  get next(): number {
    return this.#next;
  }

  /** Append time up to which that is so. */
  get processedThroughMs(): number {
    return this.#processedThroughMs;
  }

  /** The log held nothing more when this worker looked last. */
  get atEnd(): boolean {
    return this.#next >= this.#high;
  }

  /** The group has committed more already: somebody was further. */
  get behindCommitted(): boolean {
    return this.#repetition?.isQuiet(this.#next) ?? false;
  }

  /**
   * Something was stepped that no checkpoint holds. What a rebuild read before the part that it judges is not worth
   * one: from such a checkpoint nobody would know where that part begins.
   */
  get unsaved(): boolean {
    return this.#next !== this.#savedNext && this.#next >= (this.#repetition?.judgeFrom ?? 0);
  }

  /** The changed sessions alone fill the budget. No further batch before they are saved: a slow store must not win. */
  get mustSave(): boolean {
    return this.unsaved && this.partition.dirtyCount >= Math.max(UNSAVED_MIN, this.#budgetBytes / UNSAVED_BYTES);
  }

  /** For the sessions of this partition in memory. */
  get #budgetBytes(): number {
    const { sessionBytesMax, stats } = this.#parts;
    return sessionBytesMax / Math.max(1, stats.partitions.size);
  }

  /** Since the last checkpoint, or since the partition was taken over. */
  get unsavedForMs(): number {
    return this.#parts.clock.monotonicMs() - this.#savedMs;
  }

  async batch(batch: Batch): Promise<void> {
    this.#assertUsable();
    this.#busy = true;
    try {
      for (let rest: Batch | undefined = batch; rest !== undefined; ) {
        const { part, left } = cutBatch(rest, this.partition);
        await this.#take(part);
        rest = left;
        // Everything that was stepped is acknowledged: between two parts as between two batches.
        if (rest !== undefined && this.mustSave) await this.saved().then(() => this.#save());
      }
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Saves what is acknowledged. Answers the offset that the checkpoint stands at, or undefined while a batch or
   * another checkpoint runs.
   */
  async checkpoint(): Promise<number | undefined> {
    if (this.#busy || this.#saving) return undefined;
    this.#assertUsable();
    return this.#save();
  }

  /** Fulfilled when no checkpoint is under way, whatever became of it. */
  async saved(): Promise<void> {
    await this.#saving?.catch(() => undefined); // told to whoever began it
  }

  /** Saves what is left when no batch comes any more. */
  async lastCheckpoint(): Promise<number | undefined> {
    await this.saved();
    return this.unsaved ? this.checkpoint() : undefined;
  }

  /** Whether the store still holds what this worker wrote. Throws where it does not. */
  async probe(): Promise<void> {
    if (this.#saving) return;
    this.#assertUsable();
    await this.#tenure.probe().catch((error) => {
      throw this.#fail(error);
    });
  }

  async #take({ partition, first, next, high, records: raws }: Batch): Promise<void> {
    if (first !== this.#next)
      throw new Error(`partition ${partition}: ${this.#next} is next, the batch begins at ${first}`);
    this.#makeRoom();
    const { keyring, mustSign, topic, policies } = this.#parts;
    const records = raws.map((raw) => decodeRecord(raw, keyring, this.assignment, mustSign));
    const trace = traceBatch(topic, partition, records);
    try {
      const wanted = needs(this.partition, records);
      // Without a wait records are stepped while they are still in the cache, and few of them live at once.
      const unjudgeable =
        wanted.policies.length === 0 ? undefined : await policies.fetch(wanted.policies, records, this.partition);
      const judged = records.slice(0, unjudgeable?.at);
      const until = judged.length < records.length ? records[judged.length]!.offset : next;
      const outputs = await this.#judge(judged, wanted.sessions, until);
      for (const output of outputs) tell(output, trace, this.#parts);
      const last = raws[judged.length - 1];
      if (last) this.#last = { offset: last.offset, sha256: digestOf(last) };
      this.#next = until;
      this.#high = high;
      this.#processedThroughMs = this.partition.state.clockMs;
      if (this.#repetition?.isOver(until)) this.#repetition = undefined;
      if (unjudgeable !== undefined) {
        this.#parts.logger.error(
          { partition, offset: until, err: unjudgeable.error },
          'stopped before a policy that cannot be had',
        );
        await this.#saving;
        if (this.unsaved) await this.#save();
        throw unjudgeable.error;
      }
      trace.end();
    } catch (error) {
      trace.end(error as Error);
      throw error;
    }
  }

  async #judge(records: readonly LogRecord[], sessions: readonly string[], next: number): Promise<Output[]> {
    const { stats, outlet, clock } = this.#parts;
    const { partition } = this;
    const repetition = this.#repetition;
    const needed = repetition ? this.#withPassed(sessions, repetition, next) : sessions;
    if (needed.length > 0) await this.#load(needed);
    const outputs: Output[] = [];
    for (const record of records) {
      stats.countRecord(record.body);
      repetition?.passTo(partition, record.offset);
      if (repetition?.skips(record)) partition.state.accounting.skipped++;
      else for (const output of step(partition, record)) outputs.push(output);
    }
    repetition?.passTo(partition, next);
    const audible = repetition ? repetition.audible(outputs, this.#next, next) : outputs;
    if (audible.length > 0) {
      const beganMs = clock.monotonicMs();
      await outlet.publish(audible);
      const published = audible.flatMap((output) => publishedRecord(output, partition.partition));
      if (published.length > 0) await outlet.publish(published);
      stats.publish.observe(clock.monotonicMs() - beganMs);
    }
    stats.batches++;
    return outputs;
  }

  #makeRoom(): void {
    // What is being saved may not be in the store yet.
    if (this.#saving !== undefined) return;
    this.#resident.makeRoom(this.#budgetBytes);
  }

  #withPassed(sessions: readonly string[], repetition: Repetition, next: number): string[] {
    const passed = [...repetition.passing(next)].filter((id) => this.partition.stored.has(id));
    return [...new Set([...sessions, ...passed])];
  }

  async #load(sessions: readonly string[]): Promise<void> {
    const found = await this.#tenure.load(sessions);
    for (const [i, id] of sessions.entries()) {
      const bytes = found[i];
      if (!bytes) throw new TenureLost('state_lost', `session "${id}" is listed in the state and is not there`);
      this.partition.adopt(usable(`session "${id}"`, () => decodeSession(id, bytes)));
      this.#resident.loaded(id, bytes.length);
    }
  }

  async #save(): Promise<number> {
    this.#saving = this.#write();
    try {
      return await this.#saving;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#saving = undefined;
    }
  }

  /** Everything is fixed before the first wait: later batches may run while the chunks are on their way. */
  async #write(): Promise<number> {
    const { clock, stats } = this.#parts;
    const beganMs = clock.monotonicMs();
    const next = this.#next;
    const { topicId, partitions } = this.assignment;
    const { state, sessionCount } = this.partition;
    const changes = this.partition.takeChanges();
    const body: CheckpointBody = { topicId, partitions, state };
    if (this.#last) body.last = this.#last;
    if (this.#repetition) body.repetition = this.#repetition.rest;
    const checkpoint = { next, partition: encodeCheckpointBody(body), sessions: sessionCount };
    await writeCheckpoint(this.#tenure, changes, checkpoint);
    this.#resident.saved(changes);
    this.#savedNext = next;
    this.#savedMs = clock.monotonicMs();
    stats.checkpoint.observe(this.#savedMs - beganMs);
    return next;
  }

  #assertUsable(): void {
    if (this.#failure) throw new Error(`partition ${this.assignment.partition} was given up`, { cause: this.#failure });
  }

  #fail(error: unknown): Error {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    return this.#failure;
  }
}

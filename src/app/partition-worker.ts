import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import { traceBatch } from '../adapters/telemetry/tracing.ts';
import type { Output, Verdict } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { RawRecord } from '../domain/record.ts';
import type { Partition } from '../engine/partition.ts';
import { decodeSession } from '../engine/session/codec.ts';
import { needs, step } from '../engine/step.ts';
import { decodeRecord } from '../formats/log-record.ts';
import type { Keyring } from '../formats/signature.ts';
import { type Assignment, type Batch, type Clock, type Outlet, type Tenure, TenureLost } from '../ports.ts';
import { encodeCheckpointBody } from './checkpoint-body.ts';
import type { Policies } from './policies.ts';

export interface WorkerParts {
  topic: string;
  outlet: Outlet;
  policies: Policies;
  keyring: Keyring | undefined;
  clock: Clock;
  stats: Stats;
  logger: Logger;
}

/** What a partition is resumed with: see `takeOver`. */
export interface Takeover {
  tenure: Tenure;
  partition: Partition;
  next: number;
  last: { offset: number; sha256: string } | undefined;
  /** Before this offset actions were judged out of a checkpoint that is lost: only control records are stepped. */
  judgeFrom: number;
  /** Before this offset the log is a repetition: its verdicts may be old news, and the latest are said at the end. */
  quietUntil: number;
}

/** Sessions and bytes that one script of a checkpoint may carry. Redis serves nobody else meanwhile. */
const CHUNK_SESSIONS = 400;
const CHUNK_BYTES = 768 * 1024;

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
  readonly #parts: WorkerParts;
  readonly #tenure: Tenure;
  readonly #partition: Partition;
  readonly #judgeFrom: number;
  readonly #quietUntil: number;
  readonly #latestVerdicts = new Map<string, Verdict>();
  #next: number;
  #savedNext: number;
  #last: Takeover['last'];
  #busy = false;
  #saving: Promise<number> | undefined;
  #failure: Error | undefined;

  constructor(assignment: Assignment, takeover: Takeover, parts: WorkerParts) {
    this.assignment = assignment;
    this.#parts = parts;
    this.#tenure = takeover.tenure;
    this.#partition = takeover.partition;
    this.#next = takeover.next;
    this.#savedNext = takeover.tenure.checkpoint?.next ?? -1;
    this.#last = takeover.last;
    this.#judgeFrom = takeover.judgeFrom;
    this.#quietUntil = takeover.quietUntil;
  }

  get partition(): Partition {
    return this.#partition;
  }

  get next(): number {
    return this.#next;
  }

  /** Something was stepped that no checkpoint holds. */
  get unsaved(): boolean {
    return this.#next !== this.#savedNext;
  }

  async batch(batch: Batch): Promise<void> {
    this.#assertUsable();
    this.#busy = true;
    try {
      await this.#judge(batch);
      this.#next = batch.next;
      const last = batch.records.at(-1);
      if (last) this.#last = { offset: last.offset, sha256: digestOf(last) };
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
    this.#saving = this.#save();
    try {
      return await this.#saving;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#saving = undefined;
    }
  }

  /** Whether the store still holds what this worker wrote. Throws where it does not. */
  async probe(): Promise<void> {
    if (this.#saving) return;
    this.#assertUsable();
    await this.#tenure.probe().catch((error) => {
      throw this.#fail(error);
    });
  }

  async #judge(batch: Batch): Promise<void> {
    const { keyring, topic, stats, outlet, clock } = this.#parts;
    const home = { partition: this.assignment.partition, partitions: this.assignment.partitions };
    const records = batch.records.map((raw) => decodeRecord(raw, keyring, home));
    const trace = traceBatch(topic, home.partition, records);
    try {
      const wanted = needs(this.#partition, records);
      // Without a wait records are stepped while they are still in the cache, and few of them live at once.
      if (wanted.sessions.length > 0 || wanted.policies.length > 0) await this.#load(wanted);
      const outputs: Output[] = [];
      for (const record of records) {
        stats.countRecord(record.body);
        if (record.offset < this.#judgeFrom && record.body.type === 'action') continue;
        for (const output of step(this.#partition, record)) outputs.push(output);
      }
      const audible = this.#withoutOldVerdicts(outputs, batch.next);
      if (audible.length > 0) {
        const beganMs = clock.monotonicMs();
        await outlet.publish(audible);
        await outlet.publish(this.#publishedRecords(outputs));
        stats.publish.observe(clock.monotonicMs() - beganMs);
      }
      stats.batches++;
      for (const output of outputs) this.#note(output, trace);
      trace.end();
    } catch (error) {
      trace.end(error as Error);
      throw error;
    }
  }

  async #load({ sessions, policies }: ReturnType<typeof needs>): Promise<void> {
    for (const policy of policies) this.#partition.plans.set(policy.hash, await this.#parts.policies.plan(policy));
    if (sessions.length === 0) return;
    const found = await this.#tenure.load(sessions);
    for (const [i, id] of sessions.entries()) {
      const bytes = found[i];
      if (!bytes) throw new TenureLost('state_lost', `session "${id}" is listed in the state and is not there`);
      this.#partition.adopt(decodeSession(id, bytes));
    }
  }

  /** During a repetition verdicts are held back: an old one must not stand where a newer one was said already. */
  #withoutOldVerdicts(outputs: Output[], next: number): Output[] {
    if (this.#next >= this.#quietUntil) return outputs;
    const audible: Output[] = outputs.filter((output) => output.topic !== 'verdicts');
    for (const output of outputs) if (output.topic === 'verdicts') this.#latestVerdicts.set(output.key, output.verdict);
    if (next < this.#quietUntil) return audible;
    for (const [key, verdict] of this.#latestVerdicts) audible.push({ topic: 'verdicts', key, verdict });
    this.#latestVerdicts.clear();
    return audible;
  }

  /** The log's own proof that a command is out. The time for an answer begins with it, not with our decision. */
  #publishedRecords(outputs: readonly Output[]): Output[] {
    return outputs.flatMap((output): Output[] => {
      if (output.topic !== 'commands') return [];
      const { id: command, session, scope } = output.command;
      const body = {
        command,
        ...(session === undefined ? {} : { session }),
        ...(scope === undefined ? {} : { scope }),
      };
      const { partition } = this.assignment;
      return [
        {
          topic: 'actions',
          key: session ?? controlKey(partition),
          partition,
          record: { type: 'command.published.v1', body },
        },
      ];
    });
  }

  #note(output: Output, trace: ReturnType<typeof traceBatch>): void {
    const { stats, logger } = this.#parts;
    if (output.topic === 'findings') stats.findings[output.finding.code]++;
    if (output.topic !== 'commands') return;
    const { command } = output;
    stats.countCommand(command);
    trace.decision(command);
    const { id, action, session, rule, score, threshold, reason, position } = command;
    logger.warn({ id, action, session, rule, score, threshold, reason, position }, 'command published');
  }

  async #save(): Promise<number> {
    const next = this.#next;
    const { topicId, partitions } = this.assignment;
    const { state, sessionCount } = this.#partition;
    const changes = this.#partition.takeChanges();
    const body = { topicId, partitions, ...(this.#last === undefined ? {} : { last: this.#last }), state };
    const checkpoint = { next, partition: encodeCheckpointBody(body), sessions: sessionCount };
    // Everything is fixed from here: later batches may run while the chunks are on their way.
    const beganMs = this.#parts.clock.monotonicMs();
    const chunks = chunksOf(changes);
    const last = chunks.pop()!;
    for (const sessions of chunks) await this.#tenure.write({ sessions });
    await this.#tenure.write({ sessions: last, checkpoint });
    this.#savedNext = next;
    this.#parts.stats.checkpoint.observe(this.#parts.clock.monotonicMs() - beganMs);
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

function chunksOf(changes: ReadonlyMap<string, Uint8Array | null>): Map<string, Uint8Array | null>[] {
  let chunk = new Map<string, Uint8Array | null>();
  const chunks = [chunk];
  let bytes = 0;
  for (const [id, state] of changes) {
    const size = id.length + (state?.length ?? 0);
    if (chunk.size >= CHUNK_SESSIONS || (chunk.size > 0 && bytes + size > CHUNK_BYTES)) {
      chunk = new Map();
      chunks.push(chunk);
      bytes = 0;
    }
    chunk.set(id, state);
    bytes += size;
  }
  return chunks;
}

export function digestOf({ value }: RawRecord): string {
  return createHash('sha256')
    .update(value ?? '')
    .digest('hex');
}

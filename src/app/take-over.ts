import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import type { Verdict } from '../domain/output.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import { Partition } from '../engine/partition.ts';
import { readSessionHeader } from '../engine/session/codec.ts';
import type { Assignment, Checkpoint, Clock, StateStore, Tenure } from '../ports.ts';
import { type CheckpointBody, decodeCheckpointBody, digestOf, StateUnusable, usable } from './checkpoint-body.ts';
import type { Policies } from './policies.ts';
import { Repetition } from './repetition.ts';
import { RESTATED_PER_RETENTION } from './restated.ts';

export interface TakeoverParts {
  store: StateStore;
  policies: Policies;
  clock: Clock;
  stats: Stats;
  logger: Logger;
  /** How long the log keeps a record, ms. */
  retentionMs: number;
  /** The verdicts that stand for the sessions of a partition: levels that a rebuild must not lose. */
  verdictsOf(partition: number, partitions: number): Promise<Verdict[]>;
}

/** What a partition is resumed with. */
export interface Takeover {
  tenure: Tenure;
  partition: Partition;
  next: number;
  last: CheckpointBody['last'];
  /** Undefined when nothing between `next` and the end of the log was read before. */
  repetition: Repetition | undefined;
}

/** The log is not the one that the state was made from. Going on would judge by the past of another log. */
export class LogChanged extends Error {
  override readonly name = 'LogChanged';
}

/**
 * Takes a partition over: everybody before is fenced, and what is loaded is exactly the state at `next`. Without a
 * usable checkpoint the state is rebuilt from the log; so it is when an earlier worker found the state `unusable`.
 */
export async function takeOver(assignment: Assignment, parts: TakeoverParts, unusable?: string): Promise<Takeover> {
  const { store, stats } = parts;
  const number = assignment.partition;
  const log = parts.logger.child({ partition: number });
  let tenure = unusable === undefined ? await store.acquire(number) : await store.discard(number, unusable);
  if (tenure.checkpoint) {
    try {
      return await resume(assignment, tenure, tenure.checkpoint, parts, log);
    } catch (error) {
      if (!(error instanceof StateUnusable)) throw error;
      tenure = await store.discard(number, error.message);
    }
  }
  if (tenure.discarded !== undefined) {
    stats.discarded++;
    log.error({ found: tenure.discarded }, 'the stored state cannot be used and was thrown away');
  } else if ((assignment.committed ?? 0) > 0) {
    noteLoss('none', assignment, parts, log);
  }
  const rebuilt = await rebuild(assignment, parts, log);
  if (rebuilt.repetition !== undefined || tenure.discarded !== undefined) stats.rebuilds++;
  return { tenure, last: undefined, ...rebuilt };
}

async function resume(
  assignment: Assignment,
  tenure: Tenure,
  { next, sessions, partition: bytes }: Checkpoint,
  parts: TakeoverParts,
  log: Logger,
): Promise<Takeover> {
  const { partition: number, topicId, partitions, committed, high } = assignment;
  const body = decodeCheckpointBody(bytes);
  if (body.partitions !== partitions) {
    throw new LogChanged(
      `the topic has ${partitions} partitions and had ${body.partitions} when its sessions were counted; ` +
        'sessions would be split between partitions. Make a new topic and move to it',
    );
  }
  if (body.topicId !== topicId) throw new LogChanged(`the state is of topic ${body.topicId}, the log is ${topicId}`);
  await checkFingerprint(assignment, body.last);
  const partition = new Partition(topicId, number, body.state);
  for (const [id, header] of tenure.headers) {
    const read = usable(`session "${id}"`, () => readSessionHeader(header));
    if (read.lastOffset >= next)
      throw new StateUnusable(`session "${id}" is at ${read.lastOffset}, its partition at ${next}`);
    partition.expect(id, read);
  }
  tenure.headers.clear();
  if (body.state.policy) partition.judgeUnder(await parts.policies.plan(body.state.policy));
  // A rebuild that is under way stands before what was committed ahead of it, and says up to where that is so.
  const readBefore = Math.max(next, body.repetition?.until ?? 0);
  if ((committed ?? 0) > readBefore) noteLoss('older', assignment, parts, log);
  const until = Math.min(Math.max(committed ?? 0, readBefore), high);
  log.info({ next, sessions, policy: body.state.policy?.hash }, 'partition taken over');
  const held = body.repetition?.held ?? [];
  if (until <= next && held.length === 0) return { tenure, partition, next, last: body.last, repetition: undefined };
  const rebuilding = body.state.rebuiltFromMs !== undefined;
  const standing = rebuilding ? await parts.verdictsOf(number, partitions) : [];
  const ahead = standing.filter(({ position }) => Number(position.offset) >= next);
  const repetition = new Repetition({ judgeFrom: next, until, held, standing: ahead });
  return { tenure, partition, next, last: body.last, repetition };
}

/**
 * The group commits what a checkpoint holds, after it: a store that holds less has lost what it had confirmed, whether
 * or not an owner was there to see it. A rebuild that ends before its own first checkpoint is counted once more.
 */
function noteLoss(found: 'none' | 'older', { committed }: Assignment, { stats }: TakeoverParts, log: Logger): void {
  stats.statesBehind[found]++;
  log.error({ found, committed }, 'the store lost what it had confirmed: the log makes it anew');
}

/** The last record that was read must still be where it was: else the topic was cut or made anew. */
async function checkFingerprint(assignment: Assignment, last: Takeover['last']): Promise<void> {
  if (!last || last.offset < assignment.low) return;
  const found = await assignment.read(last.offset);
  if (found && digestOf(found) === last.sha256) return;
  throw new LogChanged(
    `partition ${assignment.partition}: the record at offset ${last.offset} is not the one that was judged; ` +
      'the topic was cut or made anew. Find out why, then delete the state of this partition to rebuild it',
  );
}

type Rebuilt = Omit<Takeover, 'tenure' | 'last'>;

async function rebuild(assignment: Assignment, parts: TakeoverParts, log: Logger): Promise<Rebuilt> {
  const { low, high, committed = 0, partition: number, partitions, topicId } = assignment;
  const partition = new Partition(topicId, number);
  if (low === 0) {
    // The log holds everything that ever happened here: the rebuilt state is exact.
    const until = Math.min(committed, high);
    if (until === 0) {
      log.info({ next: 0, sessions: 0 }, 'partition taken over');
      return { partition, next: 0, repetition: undefined };
    }
    log.warn({ from: 0, to: high }, 'no state found: rebuilding it from the whole log');
    return { partition, next: 0, repetition: new Repetition({ judgeFrom: 0, until }) };
  }
  // A rebuild has to begin before the policy is found, so by the settings of none.
  const { maxLifetimeMs, idleEndMs } = DEFAULT_SETTINGS;
  const lifetimeAgoMs = parts.clock.nowMs() - Math.max(maxLifetimeMs, idleEndMs);
  const judgeFrom = Math.max(low, await assignment.offsetAt(lifetimeAgoMs));
  const next = Math.min(
    await preludeFrom(assignment, lifetimeAgoMs - parts.retentionMs / RESTATED_PER_RETENTION),
    judgeFrom,
  );
  partition.state.rebuiltFromMs = lifetimeAgoMs;
  const standing = await parts.verdictsOf(number, partitions);
  // Also without a commit: whoever said a verdict had read up to it.
  const read = Math.max(committed, ...standing.map(({ position }) => Number(position.offset) + 1));
  log.warn({ from: next, judgeFrom, to: high, standing: standing.length }, 'no state found: rebuilding one lifetime');
  return { partition, next, repetition: new Repetition({ judgeFrom, until: Math.min(read, high), standing }) };
}

/** Where a rebuild has to begin to find a record that says which policy holds. */
async function preludeFrom({ low, offsetAt }: Assignment, timeMs: number): Promise<number> {
  return timeMs > 0 ? Math.max(low, await offsetAt(timeMs)) : low;
}

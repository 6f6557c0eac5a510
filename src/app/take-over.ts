import type { Logger } from 'pino';
import { parseInstant } from '../domain/instant.ts';
import type { Verdict } from '../domain/output.ts';
import { PolicySettings } from '../domain/rule.ts';
import { Partition } from '../engine/partition.ts';
import { readSessionHeader } from '../engine/session/codec.ts';
import type { Assignment, Clock, StateStore } from '../ports.ts';
import { decodeCheckpointBody } from './checkpoint-body.ts';
import { digestOf, type Takeover } from './partition-worker.ts';
import type { Policies } from './policies.ts';

export interface TakeoverParts {
  store: StateStore;
  policies: Policies;
  clock: Clock;
  logger: Logger;
  /** How long the log keeps a record, ms. */
  retentionMs: number;
  /** The verdicts that stand for the sessions of a partition: levels that a rebuild must not lose. */
  verdictsOf(partition: number, partitions: number): Promise<Verdict[]>;
}

/** The log is not the one that the state was made from. Going on would judge by the past of another log. */
export class LogChanged extends Error {
  override readonly name = 'LogChanged';
}

/** Settings of a policy that is not known yet: a rebuild has to begin before the policy is found. */
const DEFAULTS = PolicySettings.parse({});

/** `restated` is written once in this part of the retention, so that a rebuild finds one. */
export const RESTATED_PER_RETENTION = 4;

/**
 * Takes a partition over: everybody before is fenced, and what is loaded is exactly the state at `next`. Without a
 * usable checkpoint the state is rebuilt from the log.
 *
 *   log   low ─────────┬───────────────┬──────────────────────────── high
 *                      │ control only  │ one lifetime, judged
 *                      prelude         judgeFrom
 */
export async function takeOver(assignment: Assignment, parts: TakeoverParts): Promise<Takeover> {
  const { partition: number, topicId, partitions } = assignment;
  const tenure = await parts.store.acquire(number);
  const log = parts.logger.child({ partition: number });
  if (!tenure.checkpoint) {
    if (tenure.discarded !== undefined) log.error({ found: tenure.discarded }, 'the stored state cannot be used');
    return { tenure, last: undefined, ...(await rebuild(assignment, parts, log)) };
  }
  const { next } = tenure.checkpoint;
  const body = decodeCheckpointBody(tenure.checkpoint.partition);
  if (body.partitions !== partitions) {
    throw new LogChanged(
      `the topic has ${partitions} partitions and had ${body.partitions} when its sessions were counted; ` +
        'sessions would be split between partitions. Make a new topic and move to it',
    );
  }
  if (body.topicId !== topicId) throw new LogChanged(`the state is of topic ${body.topicId}, the log is ${topicId}`);
  await checkFingerprint(assignment, body.last);
  const partition = new Partition(topicId, number, body.state);
  if (body.state.policy) partition.judgeUnder(await parts.policies.plan(body.state.policy));
  for (const [id, header] of tenure.headers) {
    const { lastOffset, timerMs } = readSessionHeader(header);
    if (lastOffset >= next) throw new Error(`session "${id}" is at offset ${lastOffset}, its partition at ${next}`);
    partition.expect(id, timerMs);
  }
  log.info({ next, sessions: tenure.checkpoint.sessions, policy: body.state.policy?.hash }, 'partition taken over');
  return { tenure, partition, next, last: body.last, judgeFrom: next, quietUntil: assignment.committed ?? next };
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
  const { low, high, committed, partition: number, partitions, topicId } = assignment;
  const partition = new Partition(topicId, number);
  const lifetimeAgoMs = parts.clock.nowMs() - Math.max(DEFAULTS.maxLifetimeMs, DEFAULTS.idleEndMs);
  const judgeFrom = low === 0 ? Math.min(low, high) : await assignment.offsetAt(lifetimeAgoMs);
  const quietUntil = committed ?? 0;
  if (low === 0) {
    // The log holds everything that ever happened here: the rebuilt state is exact.
    if (quietUntil > 0) log.warn({ from: low, to: high }, 'no state found: rebuilding it from the whole log');
    return { partition, next: low, judgeFrom: low, quietUntil };
  }
  const preludeMs = lifetimeAgoMs - parts.retentionMs / RESTATED_PER_RETENTION;
  const next = Math.min(await assignment.offsetAt(preludeMs), judgeFrom);
  partition.state.rebuiltFromMs = lifetimeAgoMs;
  for (const verdict of await parts.verdictsOf(number, partitions)) seed(partition, verdict);
  log.warn({ from: next, judgeFrom, to: high }, 'no state found: rebuilding one lifetime from the log');
  return { partition, next, judgeFrom, quietUntil };
}

/** A session that was paused or killed before the part of the log that is judged again. */
function seed(partition: Partition, { session: id, level, time, position }: Verdict): void {
  if (level !== 'paused' && level !== 'killed') return;
  const session = partition.open(id);
  session.level = level;
  session.lastMs = parseInstant(time);
  session.lastOffset = Number(position.offset);
  session.degraded = true;
  partition.arm(session, session.lastMs + DEFAULTS.killMarkMs);
  partition.touched(session);
}

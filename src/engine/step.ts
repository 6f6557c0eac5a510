import type { Output } from '../domain/output.ts';
import { type LogRecord, type PolicyActivated, policyNamedBy, sessionNamedBy } from '../domain/record.ts';
import { acknowledged, published } from './acknowledge.ts';
import { act } from './act.ts';
import { passDeadlines } from './deadlines.ts';
import { decide } from './decide.ts';
import { noteFinished } from './drifted.ts';
import { decideOrder } from './orders.ts';
import { Outputs } from './outputs.ts';
import type { Partition } from './partition.ts';
import type { Plan } from './plan/policy.ts';
import { crowdOf } from './session/crowd-id.ts';
import type { Session } from './session/session.ts';
import { passSilence } from './silence.ts';
import { NEVER } from './standing/pause.ts';

/** The append time fell by more than this: a broker's clock is wrong, and whoever runs it should know. */
const BACKWARD_MS = 5000;
/**
 * While something is pending, its owner writes a tick each minute: a longer silence is a wrong clock, or nobody judged.
 * What people had to answer over such a gap waits for a person.
 */
const FORWARD_MS = 300_000;
const UNKNOWN_KEEP_MS = 3_600_000;
/**
 * So many sessions whose time has come are looked at for one record at most, the longest due first: after hours of silence
 * it may have come for all. The others follow with the next records, which the owner writes while something is pending.
 * So a deadline may pass some records late, never early, and none is lost.
 */
export const TIMERS_PER_RECORD = 1000;

/**
 * The product. Takes one record of a partition's log into the partition's state and answers what must be said.
 *
 * Synchronous, total over decoded records, no clock, no I/O, no randomness: the same records give the same state and
 * the same outputs, wherever the batches were cut. The caller loads before it calls (`needs` says what), publishes
 * what it gets, and throws the partition away after any failure.
 */
export function step(partition: Partition, record: LogRecord): Output[] {
  const outputs = new Outputs(partition, record);
  advance(partition, record, outputs);
  const { body } = record;
  const { accounting } = partition.state;
  switch (body.type) {
    case 'action':
      act(partition, record, body.event, outputs);
      break;
    case 'refused':
      partition.countRefused(body.refusal);
      outputs.list.push({
        topic: 'quarantine',
        key: body.raw.key,
        raw: body.raw,
        refusal: body.refusal,
        reason: body.reason,
        position: outputs.position,
      });
      break;
    case 'policy':
      accounting.control++;
      activate(partition, body.policy, outputs);
      break;
    case 'restated':
      accounting.control++;
      // A rebuild may begin behind every activation that the log still holds: policy and orders in force are then here.
      if (!partition.state.policy && body.restated.policy) {
        partition.state.orders = body.restated.orders;
        partition.state.drift = body.restated.drift;
        activate(partition, body.restated.policy, outputs);
      }
      partition.state.restatedMs = partition.state.clockMs;
      break;
    case 'decision': {
      accounting.control++;
      const { session } = body.decision;
      if (session === undefined) decideOrder(body.decision, outputs);
      else decide(partition.find(session), body.decision, outputs);
      break;
    }
    case 'acknowledgement': {
      accounting.control++;
      const session = partition.find(body.acknowledgement.session);
      if (session) acknowledged(session, body.acknowledgement, outputs);
      break;
    }
    case 'published': {
      accounting.control++;
      const session = body.published.session === undefined ? undefined : partition.find(body.published.session);
      if (session) published(session, body.published, outputs);
      break;
    }
    case 'tick':
      accounting.control++;
      break;
    default:
      body satisfies never;
  }
  return outputs.list;
}

/**
 * How many of the records may be stepped at once, so that what has to be loaded for their timers stays bounded: one at a
 * time while more is due than one record looks at.
 */
export function steppedAtOnce({ timers, state }: Partition, appendsMs: readonly number[]): number {
  const clockMs = appendsMs.reduce((latest, one) => Math.max(latest, one), state.clockMs);
  return timers.isCrowded(clockMs, TIMERS_PER_RECORD) ? Math.min(1, appendsMs.length) : appendsMs.length;
}

/** What the caller has to load before it steps these records, in the order of need. See `steppedAtOnce`. */
export function needs(
  partition: Partition,
  records: readonly LogRecord[],
): { sessions: string[]; policies: PolicyActivated[] } {
  const sessions = new Set<string>();
  const policies = new Map<string, PolicyActivated>();
  let clockMs = partition.state.clockMs;
  for (const { appendMs, body } of records) {
    clockMs = Math.max(clockMs, appendMs);
    const touched = sessionNamedBy(body);
    if (touched !== undefined) sessions.add(touched);
    // Whether an action is judged there shows only when it is stepped.
    if (body.type === 'action' && partition.crowds.size > 0) sessions.add(crowdOf(body.event.agent.id));
    if (body.type === 'decision' && body.decision.kind === 'lift') for (const id of partition.ordered) sessions.add(id);
    const policy = policyNamedBy(body);
    if (policy && !partition.plans.has(policy.hash)) policies.set(policy.hash, policy);
  }
  const due = partition.timers.firstDue(clockMs, TIMERS_PER_RECORD * records.length, (one) => partition.isVoid(one));
  for (const id of due) sessions.add(id);
  return { sessions: [...sessions].filter((id) => partition.stored.has(id)), policies: [...policies.values()] };
}

/** Time passes: the clock of the partition, then every timer that is due. */
function advance(partition: Partition, { appendMs, body }: LogRecord, outputs: Outputs): void {
  const { state } = partition;
  const behindMs = state.clockMs - appendMs;
  if (behindMs > BACKWARD_MS !== state.behind) {
    state.behind = !state.behind;
    if (state.behind) {
      state.jumpedMs = state.clockMs + 1;
      outputs.finding('clock_jumped', undefined, { reason: `the append time fell back by ${behindMs} ms` });
    }
  }
  if (behindMs < 0) {
    if (-behindMs > FORWARD_MS && state.clockMs > 0) {
      state.jumpedMs = appendMs;
      if (partition.pending.size > 0)
        outputs.finding('clock_jumped', undefined, { reason: `the append time went ahead by ${-behindMs} ms` });
    }
    state.clockMs = appendMs;
  }
  passTimers(sessionNamedBy(body), outputs);
}

/** Looks at the sessions whose time has come; also at the one that the record is about, however many come before it. */
function passTimers(named: string | undefined, outputs: Outputs): void {
  const { partition } = outputs;
  const { clockMs } = partition.state;
  for (let left = TIMERS_PER_RECORD; left > 0; ) {
    const due = partition.timers.takeDue(clockMs);
    if (due === undefined) return;
    if (partition.isVoid(due)) continue;
    left--;
    passTime(partition.find(due.session)!, outputs);
  }
  const own = named === undefined ? undefined : partition.find(named);
  if (own !== undefined && own.timerMs <= clockMs) passTime(own, outputs);
}

function passTime(session: Session, outputs: Outputs): void {
  passDeadlines(session, outputs);
  passSilence(session, outputs);
  forgetOrRearm(session, outputs);
}

/** A session that nothing can matter of any more is forgotten. The time of that is a matter of the log alone. */
function forgetOrRearm(session: Session, outputs: Outputs): void {
  const { partition } = outputs;
  const { plan, state } = partition;
  // Before the first policy only a rebuild has sessions: what it took over from verdicts. How long they are kept is not
  // known yet.
  const dueMs = plan ? session.lastMs + keepMs(plan, session) : state.clockMs + UNKNOWN_KEEP_MS;
  const pendingMs = session.dueMs;
  if (state.clockMs >= dueMs && pendingMs === NEVER) {
    noteFinished(session, outputs);
    partition.forget(session);
  } else {
    partition.arm(session, state.clockMs >= dueMs ? pendingMs : Math.min(dueMs, pendingMs));
    partition.touched(session);
  }
}

function keepMs(plan: Plan, { level }: Session): number {
  return level === 'paused' || level === 'killed' ? Math.max(plan.settings.killMarkMs, plan.forgetMs) : plan.forgetMs;
}

function activate(partition: Partition, policy: PolicyActivated, outputs: Outputs): void {
  if (partition.state.policy?.hash === policy.hash) return;
  partition.activate(policy, partition.state.clockMs);
  outputs.finding('policy_activated', undefined, { reason: `policy ${policy.hash} judges from here on` });
}

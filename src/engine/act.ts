import { type ActionEvent, hasValidAffected } from '../domain/event.ts';
import { parseInstant } from '../domain/instant.ts';
import type { LogRecord } from '../domain/record.ts';
import { actedAgainst } from './acknowledge.ts';
import { boundsOfSessions, judgedIn } from './crowd.ts';
import { doubtOf, noteFinished } from './drifted.ts';
import { escalate, relax } from './escalate.ts';
import type { EvidencePlan } from './evidence/plan.ts';
import { SessionIntents } from './evidence/session-intents.ts';
import { riskOf, WATCH_LEFT_BELOW } from './evidence/thresholds.ts';
import { SILENT, weigh } from './evidence/weigh.ts';
import { holdsExcepted, judgeExcepted } from './excepted.ts';
import { judge, type Ruling } from './judge.ts';
import { observe } from './observe.ts';
import { takeOrders } from './orders.ts';
import type { Outputs } from './outputs.ts';
import type { Partition } from './partition.ts';
import type { PartitionState } from './partition-state.ts';
import type { Plan, RulePlan } from './plan/policy.ts';
import { boundSession } from './session/bound.ts';
import { isCrowdId } from './session/crowd-id.ts';
import { effectiveTime } from './session/event-time.ts';
import { Call } from './session/failed-calls.ts';
import type { Group } from './session/group.ts';
import { ONCE, PRINCIPALS_MAX, type Session } from './session/session.ts';
import { NEVER } from './standing/pause.ts';

/** Of a value that no rule reads, a finding shows so many characters. */
const SHOWN_MAX = 80;

/** Judges one action of one session: is it new, which life does it belong to, what does it add, what follows. */
export function act(partition: Partition, record: LogRecord, event: ActionEvent, outputs: Outputs): void {
  const { plan, state } = partition;
  const { accounting, clockMs } = state;
  if (!plan) {
    accounting.beforePolicy++;
    return;
  }
  const session = partition.open(judgedIn(event, partition, plan.settings));
  const fresh = session.lastOffset < 0;
  const arrival = isKilled(session) ? 'new' : session.dedupe.admit(event);
  if (arrival === 'repeated') {
    accounting.repeated++;
    return;
  }
  partition.touched(session);
  if (fresh) partition.arm(session, clockMs + plan.forgetMs);
  const lastMs = fresh ? clockMs : session.lastMs;
  session.lastOffset = record.offset;
  session.lastMs = clockMs;
  if (isKilled(session)) {
    accounting.afterKill++;
    actedAgainst(session, 'action_after_kill', event, outputs);
    return;
  }
  if (isStopped(session)) actedAgainst(session, 'action_while_paused', event, outputs);
  accounting.judged++;
  session.convert(plan);
  const timeMs = parseInstant(event.time);
  const effectiveMs = effectiveTime(timeMs, record.appendMs, plan.settings.delayMs);
  const { idleEndMs, maxLifetimeMs } = plan.settings;
  if (fresh || clockMs - lastMs >= idleEndMs || clockMs - session.startMs >= maxLifetimeMs) {
    noteFinished(session, outputs);
    session.begin(clockMs, effectiveMs);
  }
  if (fresh && mayHaveRunBefore(state, idleEndMs)) session.degraded = true;
  session.clockMs = Math.max(session.clockMs, effectiveMs);
  session.actions++;
  const tooWide = session.noteActor(event);
  const reportOnce = (code: keyof typeof ONCE, reason: () => string) => {
    if ((session.reported & ONCE[code]) !== 0) return;
    session.reported |= ONCE[code];
    outputs.finding(code, session, { reason: reason(), triggerEventId: event.id });
  };
  if (arrival === 'reused')
    reportOnce('event_id_reused', () => `the id ${event.id} was seen with other content; it counts as a new event`);
  if (!hasValidAffected(event)) {
    const shown = () => JSON.stringify(event.affected).slice(0, SHOWN_MAX);
    reportOnce('invalid_affected', () => `affected is ${shown()}; it counts as 1`);
  }
  if (effectiveMs !== timeMs)
    reportOnce('time_out_of_bounds', () => `the time ${event.time} is too far from its receipt at ${outputs.time}`);
  const inCrowd = isCrowdId(session.id);
  if (inCrowd && !isCrowdId(event.session)) {
    state.crowded++;
    reportOnce('sessions_crowded', () => {
      const { newSessionsPerMinute, sessionsMax } = boundsOfSessions(plan.settings);
      return `${event.agent.id} begins more than ${newSessionsPerMinute} sessions in a minute, or there are ${sessionsMax}: what begins beyond is judged together`;
    });
  }
  if (tooWide && !inCrowd)
    reportOnce('session_too_wide', () => `more than ${PRINCIPALS_MAX} principals act in this session`);

  // What the thresholds of the evidence promise, they promise of what it was learned of.
  const evidence = plan.evidence?.of === (inCrowd ? 'crowds' : 'sessions') ? plan.evidence : undefined;
  if (evidence) session.intents ??= new SessionIntents(evidence.cohortOf(event));
  if (session.level === 'watch' && clockMs - session.watchMs > plan.settings.watchHoldMs)
    relaxOrHold(plan, session, event, clockMs, outputs);
  const observed = { event, timeMs, clockMs, call: Call.of(event) };
  const passed: { rules: readonly RulePlan[]; group: Group }[] = [];
  for (const groupPlan of plan.groupsFor(event.action)) {
    if (groupPlan.test(event)) passed.push({ rules: groupPlan.rules, group: observe(session, groupPlan, observed) });
  }
  // Only now: a share also looks at what the group of all actions has counted.
  const rulings: Ruling[] = [];
  for (const { rules, group } of passed) {
    for (const rule of rules) {
      if (clockMs >= rule.endsMs) continue;
      const { uncovered } = rule;
      rulings.push(
        uncovered === undefined
          ? judge(rule, group, session)
          : judgeExcepted(rule, uncovered, group, session, observed),
      );
    }
  }
  const accusations = evidence
    ? weigh(session, evidence, { event, timeMs, effectiveMs, nowMs: clockMs, doubt: doubtOf(state.drift) })
    : SILENT;
  if (rulings.length > 0 || accusations !== SILENT || session.standing?.release !== undefined)
    escalate(session, rulings, accusations, { triggerEventId: event.id, event }, outputs);
  if (state.orders.length > 0) takeOrders(session, event.id, outputs);
  if (isKilled(session)) session.shrinkToStub();
  else boundSession(session, plan);
  awaitSilence(session, plan, partition);
}

/** What waits may have begun or ended, or was never asked for by this policy. */
function awaitSilence(session: Session, { waiting }: Plan, partition: Partition): void {
  const before = session.awaitedMs;
  if (waiting.length === 0 && before === NEVER) return;
  session.noteAwaited();
  if (session.awaitedMs !== before) partition.schedule(session);
}

/** A session that appears soon after a rebuild began in the middle of the log may have begun before it. */
function mayHaveRunBefore({ rebuiltFromMs, clockMs }: PartitionState, idleEndMs: number): boolean {
  return rebuiltFromMs !== undefined && clockMs - rebuiltFromMs < idleEndMs;
}

/** The log knows that its pause is out: what it does now, it does against it. */
function isStopped({ level, standing }: Session): boolean {
  return level === 'paused' && (standing?.issued?.publishedMs ?? -1) >= 0;
}

function isKilled({ level }: Session): boolean {
  return level === 'killed';
}

function relaxOrHold(plan: Plan, session: Session, event: ActionEvent, nowMs: number, outputs: Outputs): void {
  // In the order of the plan: that of the session's own map depends on where it was last read from bytes.
  for (const { id, rules } of plan.groups.values()) {
    const group = session.groups.get(id);
    for (const rule of group ? rules : []) {
      if (rule.rule.mode === 'shadow' || !holdsExcepted(rule, group!, session)) continue;
      session.watchMs = nowMs;
      return;
    }
  }
  if (plan.evidence && riskOfEvidence(plan.evidence, session) >= WATCH_LEFT_BELOW) {
    session.watchMs = nowMs;
    return;
  }
  relax(session, event, outputs);
}

/** As it is now: what was marked has faded since. */
function riskOfEvidence(plan: EvidencePlan, { intents }: Session): number {
  if (!intents) return 0;
  const cause = intents.evidence.refreshedCause(plan.cohort(intents.cohort).models);
  return riskOf(cause?.evidence ?? 0, plan.thresholds);
}

import type { Decision, DecisionRefusal } from '../domain/decision.ts';
import type { AnsweredDecision } from '../domain/finding.ts';
import { issue, kill, pause, plainGrounds, setLevel, standingOf } from './level.ts';
import type { Outputs } from './outputs.ts';
import { requestOf } from './request.ts';
import { isCrowdId } from './session/crowd-id.ts';
import type { Session } from './session/session.ts';
import { grantText, narrower } from './standing/grant.ts';
import type { Pause } from './standing/pause.ts';
import { Release } from './standing/release.ts';

/** Why a decision about one session changes nothing, for the person who made it. */
const REFUSED: Record<DecisionRefusal, string> = {
  unknown_session: 'no such session is known here',
  unknown_command: 'the session does not wait for an answer to that command',
  already_decided: 'somebody has answered that request before',
  ended: 'the pause has ended without an answer: the session is killed',
  stale_view: 'the request has changed since, or no view was named: look at the newest request',
  no_grant: 'a release needs a grant, and two people a grant that they have in common',
  needs_second_person: 'this person has agreed already: another one has to',
  initiator: 'whoever initiated the session is not one of the two people who release it',
  already_paused: 'the session is paused already',
  already_killed: 'the session is killed, and nothing but a new session id leaves that',
  order_in_force: 'a standing order is in force: it has to be lifted first',
  no_order: 'no such order is in force',
  crowd: 'it stands for many sessions of an agent: give or lift an order for the agent',
  too_many_orders: 'this partition holds as many orders as it may: lift some first',
};

/** Says that a decision changes nothing, and why. */
export function refuse(
  session: Session | undefined,
  decision: Decision,
  refusal: DecisionRefusal,
  outputs: Outputs,
  details: { scope?: string } = {},
): void {
  const { id, kind, by, command } = decision;
  const reason = `${kind} by ${by.id} changes nothing: ${REFUSED[refusal]}`;
  const waiting = session?.standing?.pause;
  outputs.finding('decision_refused', session ?? decision.session, {
    reason,
    refusal,
    decision: answered(decision),
    triggerEventId: id,
    ...(command === undefined ? {} : { command }),
    ...(waiting === undefined ? {} : { view: waiting.view, request: requestOf(waiting) }),
    ...details,
  });
}

/** A person decides about one session. Every decision is answered by a finding; a repeated one says nothing. */
export function decide(session: Session | undefined, decision: Decision, outputs: Outputs): void {
  if (session === undefined) {
    refuse(undefined, decision, 'unknown_session', outputs);
    return;
  }
  if (session.standing?.answered.some((one) => one.decision === decision.id)) return;
  const refusal = isCrowdId(session.id) ? 'crowd' : refusalOf(session, decision);
  if (refusal !== undefined) {
    refuse(session, decision, refusal, outputs);
    return;
  }
  session.lastOffset = outputs.record.offset;
  session.lastMs = outputs.nowMs;
  outputs.partition.touched(session);
  const { id, kind, by, reason: why } = decision;
  const named = answered(decision);
  const reason = `${kind} by ${by.id}${why === undefined ? '' : `: ${why}`}`;
  const standing = standingOf(session);
  const waiting = standing.pause;
  if (kind === 'release' && !agree(session, waiting!, decision, outputs)) return;
  standing.noteAnswer(waiting?.command ?? '', id);
  const answeredBy = { decision: named, triggerEventId: id };
  const about = waiting === undefined ? {} : { command: waiting.command, rule: waiting.rule, view: waiting.view };
  outputs.finding('decision_accepted', session, { reason, ...answeredBy, ...about });
  const cause = { triggerEventId: id, by: named.by, decision: named };
  switch (kind) {
    case 'release':
      release(session, waiting!, reason, cause, outputs);
      break;
    case 'pause': {
      const conditions = standing.release?.conditions ?? [];
      pause(session, plainGrounds('firebreak:decision', reason), conditions, cause, outputs);
      break;
    }
    case 'reject':
    case 'kill':
      kill(session, plainGrounds('firebreak:decision', reason, waiting?.score, waiting?.threshold), cause, outputs);
      break;
    case 'lift':
      throw new Error('a session has no order to lift: the schema refuses it');
    default:
      kind satisfies never;
  }
}

function refusalOf(session: Session, decision: Decision): DecisionRefusal | undefined {
  const { kind, command, view, by, grant } = decision;
  const { level, standing } = session;
  switch (kind) {
    case 'pause':
      return level === 'killed' ? 'already_killed' : level === 'paused' ? 'already_paused' : undefined;
    case 'kill':
      return level === 'killed' ? 'already_killed' : undefined;
    default:
  }
  const waiting = standing?.pause;
  if (waiting === undefined || command !== waiting.command) {
    if (standing?.answered.some((one) => one.command === command)) return 'already_decided';
    if (level === 'killed') return 'ended';
    return waiting === undefined && standing?.order !== undefined ? 'order_in_force' : 'unknown_command';
  }
  if (kind === 'reject') return view !== undefined && view !== waiting.view ? 'stale_view' : undefined;
  if (view !== waiting.view) return 'stale_view';
  if (grant === undefined || narrowed(waiting, grant) === undefined) return 'no_grant';
  if (standing?.order !== undefined) return 'order_in_force';
  if (waiting.approvals > 1 && by.id === session.principal) return 'initiator';
  return waiting.approvedBy.includes(by.id) ? 'needs_second_person' : undefined;
}

type Grant = NonNullable<Decision['grant']>;

/** What this grant leaves of those before it; undefined where that is no target at all. */
function narrowed({ approvedGrant }: Pause, grant: Grant): Grant | undefined {
  const together = approvedGrant === undefined ? grant : narrower(approvedGrant, grant);
  return together.targets?.length === 0 ? undefined : together;
}

/** Takes in who agrees to a release, and to what. Answers whether they are enough. */
function agree(session: Session, waiting: Pause, decision: Decision, outputs: Outputs): boolean {
  const { id, by, grant } = decision;
  waiting.approvedGrant = narrowed(waiting, grant!);
  waiting.approvedBy.push(by.id);
  const left = waiting.approvals - waiting.approvedBy.length;
  if (left <= 0) return true;
  const reason = `${by.id} agrees to a release: ${left} more has to`;
  const { command, rule, view } = waiting;
  const about = { command, rule, view, request: requestOf(waiting), triggerEventId: id };
  outputs.finding('decision_accepted', session, { reason, decision: answered(decision), ...about });
  return false;
}

function release(
  session: Session,
  waiting: Pause,
  decided: string,
  cause: Parameters<typeof issue>[4],
  outputs: Outputs,
): void {
  const grant = waiting.approvedGrant!;
  const others = waiting.approvedBy.slice(0, -1);
  const together = others.length === 0 ? '' : `, with ${others.join(', ')}`;
  const reason = `${decided}${together} (${grantText(grant)})`;
  const grounds = plainGrounds(waiting.rule, reason, waiting.score, waiting.threshold);
  setLevel(session, 'watch', grounds, cause, outputs);
  const { id } = issue(session, 'resume', 'watch', grounds, { ...cause, grant }, outputs);
  const standing = standingOf(session);
  standing.pause = undefined;
  standing.release = Release.from(grant, waiting.conditions, id, outputs);
  // The hold time of the watch begins here: nothing was quiet before.
  session.watchMs = outputs.nowMs;
  outputs.partition.schedule(session);
}

/** The decision as findings and commands carry it: without fields that nobody knows. */
export function answered({ id, kind, by, reason, command, view, scope, grant }: Decision): AnsweredDecision {
  return {
    id,
    kind,
    by: { id: by.id, ...(by.type === undefined ? {} : { type: by.type }) },
    ...(reason === undefined ? {} : { reason }),
    ...(command === undefined ? {} : { command }),
    ...(view === undefined ? {} : { view }),
    ...(scope === undefined ? {} : { scope: { type: scope.type, id: scope.id } }),
    ...(grant === undefined ? {} : { grant }),
  };
}

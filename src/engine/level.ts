import { type Command, shortForm } from '../domain/command.ts';
import type { Level } from '../domain/level.ts';
import type { Cause, Grounds, Reasoning } from './grounds.ts';
import { actorOf, type Outputs } from './outputs.ts';
import { request } from './request.ts';
import type { Session } from './session/session.ts';
import { Issued } from './standing/issued.ts';
import { type NamedCondition, Pause } from './standing/pause.ts';
import { Standing } from './standing/standing.ts';

/** Grounds of what neither rule nor intent asked for. */
export function plainGrounds(rule: Reasoning['rule'], reason: string, score = 0, threshold = 0): Grounds {
  const none = { measures: {}, baseline: {}, evidence: [], evidenceOmitted: 0 };
  return { severity: 'high', rule, score, threshold, reason, ...none };
}

export function standingOf(session: Session): Standing {
  session.standing ??= new Standing();
  return session.standing;
}

/** Says that the level changed. */
export function setLevel(session: Session, to: Level, grounds: Grounds, cause: Cause, outputs: Outputs): void {
  const from = session.level;
  session.level = to;
  const { triggerEventId, decision } = cause;
  const about = { triggerEventId, ...grounds, ...(decision === undefined ? {} : { decision }) };
  outputs.finding('level_changed', session, { ...about, level: { from, to } });
}

/** Pauses the session until people answer; the request names the conditions that a release would suspend. */
export function pause(
  session: Session,
  grounds: Grounds,
  conditions: readonly NamedCondition[],
  cause: Cause,
  outputs: Outputs,
): void {
  setLevel(session, 'paused', grounds, cause, outputs);
  const { id } = issue(session, 'pause', 'paused', grounds, cause, outputs);
  const waiting = new Pause(id, grounds.rule, cause.triggerEventId);
  waiting.score = grounds.score;
  waiting.threshold = grounds.threshold;
  waiting.answerWithinMs = outputs.settings.answerWithinMs;
  waiting.approvals = outputs.settings.releaseApprovals;
  for (const condition of conditions) waiting.name(condition);
  const standing = standingOf(session);
  standing.pause = waiting;
  standing.release = undefined;
  request(session, waiting, grounds, cause, outputs);
  outputs.partition.schedule(session);
}

/** Ends the session for good. */
export function kill(session: Session, grounds: Grounds, cause: Cause, outputs: Outputs): void {
  setLevel(session, 'killed', grounds, cause, outputs);
  issue(session, 'kill', 'killed', grounds, cause, outputs);
  const standing = standingOf(session);
  standing.pause = undefined;
  standing.release = undefined;
  standing.order = undefined;
  session.shrinkToStub();
  outputs.partition.schedule(session);
}

/** Tells enforcers, and remembers what was told until one of them confirms it. */
export function issue(
  session: Session,
  action: Command['action'],
  level: Level,
  { severity: _, ...reasoning }: Grounds,
  { triggerEventId, actor = actorOf(session), by, grant, offset }: Cause,
  outputs: Outputs,
): Command {
  const standing = standingOf(session);
  // A class that was needed once acts at once from then on.
  const { reach = 1 } = standing.issued ?? {};
  const command: Command = {
    id: outputs.id('cmd', session.id, reasoning.rule, action, offset),
    action,
    session: session.id,
    ...actor,
    triggerEventId,
    time: outputs.time,
    ...reasoning,
    ...(by === undefined ? {} : { by }),
    ...(grant === undefined ? {} : { grant }),
    ...standbyOf(action, reach, outputs),
    policyHash: outputs.policyHash,
    position: outputs.position,
  };
  outputs.command(command);
  outputs.verdict(session, level, command);
  standing.issued = new Issued(command.id, outputs.nowMs, JSON.stringify(shortForm(command)));
  standing.issued.reach = reach;
  return command;
}

/** The classes that wait while others act. Whoever has stopped a session lets it go at once. */
export function standbyOf(action: Command['action'], reach: number, { settings }: Outputs): Pick<Command, 'standby'> {
  const standby = action === 'resume' ? [] : (settings.enforcers ?? []).slice(reach);
  return standby.length === 0 ? {} : { standby };
}

import type { Command } from '../domain/command.ts';
import { formatDuration } from '../domain/duration.ts';
import type { ActionEvent } from '../domain/event.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Acknowledgement, Published } from '../domain/record.ts';
import { standbyOf, standingOf } from './level.ts';
import type { Outputs } from './outputs.ts';
import { requestOf } from './request.ts';
import type { Session } from './session/session.ts';
import { Issued } from './standing/issued.ts';
import { NEVER } from './standing/pause.ts';

/** The log knows that a command is out: the time for an answer and for an acknowledgement begins. Once. */
export function published(session: Session, { command }: Published, outputs: Outputs): void {
  const { pause, issued } = session.standing ?? {};
  const { nowMs, settings, record } = outputs;
  if (issued?.id === command && issued.publishedMs < 0) {
    touch(session, outputs);
    issued.publishedMs = nowMs;
    if (issued.isAwaited) issued.dueMs = nowMs + settings.acknowledgeWithinMs;
    outputs.audit(session.id, { published: { command, detectToPublishMs: nowMs - issued.atMs } });
  }
  if (pause?.command === command && pause.publishedMs < 0) {
    touch(session, outputs);
    pause.publishedMs = nowMs;
    pause.publishedOffset = record.offset;
    const { answerWithinMs, rule, view, triggerEventId } = pause;
    if (answerWithinMs === NEVER) return;
    pause.killMs = nowMs + answerWithinMs + settings.decisionGraceMs;
    if (settings.reminderBeforeMs < answerWithinMs) pause.remindMs = nowMs + answerWithinMs - settings.reminderBeforeMs;
    const reason = `the pause is out: an answer is awaited until ${formatInstant(nowMs + answerWithinMs)}`;
    outputs.finding('decision_due', session, {
      reason,
      command,
      rule,
      view,
      triggerEventId,
      request: requestOf(pause),
    });
  }
  outputs.partition.schedule(session);
}

/** What an enforcer says of the last command. Of each status only the first counts, whoever says it. */
export function acknowledged(session: Session, acknowledgement: Acknowledgement, outputs: Outputs): void {
  const { id, command, status, enforcer, class: of, reason } = acknowledgement;
  const issued = session.standing?.issued;
  if (issued?.id !== command || !issued.acknowledge(status)) return;
  touch(session, outputs);
  const enforced = status === 'enforced';
  const acted = enforced && issued.lastAgainstMs >= 0;
  outputs.audit(session.id, {
    acknowledged: {
      id,
      command,
      status,
      enforcer,
      ...(of === undefined ? {} : { class: of }),
      ...(reason === undefined ? {} : { reason }),
      ...(enforced && issued.publishedMs >= 0 ? { publishToAcknowledgeMs: outputs.nowMs - issued.publishedMs } : {}),
      ...(acted ? { detectToLastActionMs: issued.lastAgainstMs - issued.atMs } : {}),
    },
  });
  if (enforced) issued.settle();
  else if (status !== 'received') {
    const why = `${enforcer} could not enforce it: ${status}${reason === undefined ? '' : `, ${reason}`}`;
    const { attempts: attempt, reach } = issued;
    outputs.finding('command_unacknowledged', session, { reason: why, command, attempt, severity: 'high' });
    // It will not become able either. A class that was reached before may be slower to say so than the next one to act.
    const isLast = of !== undefined && of === outputs.settings.enforcers?.[reach - 1];
    if (status === 'unsupported' && isLast && issued.isAwaited) escalated(session, issued, why, outputs);
  }
  outputs.partition.schedule(session);
}

/** Nobody confirmed the command in time: it is said once more, at last to others. */
export function issuedAgain(session: Session, issued: Issued, outputs: Outputs): void {
  const { publishAttempts, acknowledgeWithinMs } = outputs.settings;
  const { id: command, attempts: attempt } = issued;
  const waited = `no enforcer has confirmed it within ${formatDuration(acknowledgeWithinMs)}`;
  if (issued.tries >= publishAttempts) {
    escalated(session, issued, `${waited} of its publication number ${attempt}`, outputs);
    return;
  }
  const reason = `${waited}: published again`;
  outputs.finding('command_unacknowledged', session, { reason, severity: 'high', command, attempt });
  publishAgain(issued, standbyOf(issued.republished().action, issued.reach, outputs), outputs);
}

/** The next class of enforcers is to act as well; where none is left, a person. The verdict says so to who starts late. */
function escalated(session: Session, issued: Issued, why: string, outputs: Outputs): void {
  const { id: command, attempts: attempt } = issued;
  const { action } = issued.republished();
  const [next] = standbyOf(action, issued.reach, outputs).standby ?? [];
  if (next === undefined) {
    issued.settle();
    const reason = `${why}: see to the ${action} by hand`;
    outputs.finding('command_escalated', session, { reason, severity: 'critical', command, attempt });
    return;
  }
  issued.reachNext();
  const standby = standbyOf(action, issued.reach, outputs);
  const reason = `${why}: from here on ${next} acts too`;
  outputs.finding('command_escalated', session, { reason, severity: 'high', command, attempt, ...standby });
  outputs.verdict(session, session.level, publishAgain(issued, standby, outputs));
}

/** Under the same id. */
function publishAgain(issued: Issued, standby: Pick<Command, 'standby'>, outputs: Outputs): Command {
  const command = { ...issued.republished(), ...standby };
  issued.attempts++;
  issued.tries++;
  issued.dueMs = outputs.nowMs + outputs.settings.acknowledgeWithinMs;
  outputs.command(command, issued.attempts);
  return command;
}

/**
 * The session acts although it was to stop: the enforcement failed, or the action was on its way. Said at the first
 * such action of a command, the second, the fourth, the eighth: a runaway session writes no finding for each.
 */
export function actedAgainst(
  session: Session,
  code: 'action_while_paused' | 'action_after_kill',
  { id, tool }: ActionEvent,
  outputs: Outputs,
): void {
  const standing = standingOf(session);
  standing.issued ??= new Issued('', outputs.nowMs, undefined);
  const { issued } = standing;
  const count = ++issued.against;
  issued.lastAgainstMs = outputs.nowMs;
  if ((count & (count - 1)) !== 0) return;
  const when = code === 'action_after_kill' ? 'after the kill' : 'while paused';
  const confirmed = issued.isConfirmed ? ', although an enforcer confirmed the command' : '';
  const severity = code === 'action_after_kill' || issued.isConfirmed ? 'critical' : 'high';
  const reason = `${tool} ${when}: the enforcement failed${confirmed}`;
  const about = issued.id === '' ? {} : { command: issued.id };
  outputs.finding(code, session, { reason, triggerEventId: id, severity, count, ...about });
}

function touch(session: Session, { partition, record }: Outputs): void {
  session.lastOffset = record.offset;
  partition.touched(session);
}

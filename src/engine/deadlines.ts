import { formatDuration } from '../domain/duration.ts';
import { issuedAgain } from './acknowledge.ts';
import { kill, pause, plainGrounds } from './level.ts';
import type { Outputs } from './outputs.ts';
import { request, requestOf } from './request.ts';
import type { Session } from './session/session.ts';
import { NEVER, type Pause } from './standing/pause.ts';
import type { Release } from './standing/release.ts';

/** Does what is due at the partition's clock between the session and people. */
export function passDeadlines(session: Session, outputs: Outputs): void {
  const { standing } = session;
  if (standing === undefined || standing.dueMs > outputs.nowMs) return;
  outputs.partition.touched(session);
  const { pause: waiting, release } = standing;
  if (waiting !== undefined) passPause(session, waiting, outputs);
  else if (release !== undefined && release.untilMs <= outputs.nowMs) endRelease(session, release, outputs);
  const { issued } = standing;
  if (issued !== undefined && issued.dueMs <= outputs.nowMs) issuedAgain(session, issued, outputs);
  outputs.partition.schedule(session);
}

function passPause(session: Session, waiting: Pause, outputs: Outputs): void {
  const { nowMs } = outputs;
  const { command, rule, triggerEventId, score, threshold, answerWithinMs, view } = waiting;
  if (view === '') {
    const reason = 'paused before the state was rebuilt; what led to it is no longer known here';
    request(session, waiting, plainGrounds(rule, reason, score, threshold), { triggerEventId }, outputs);
  }
  if (waiting.killMs <= nowMs) {
    waiting.remindMs = NEVER;
    waiting.killMs = NEVER;
    const wait = waitReason(session, waiting, outputs);
    if (wait === undefined) {
      const reason = `nobody answered within ${formatDuration(answerWithinMs)}: no answer in time is a no`;
      const cause = { triggerEventId, offset: waiting.publishedOffset };
      kill(session, plainGrounds('firebreak:no-answer', reason, score, threshold), cause, outputs);
      return;
    }
    waiting.answerWithinMs = NEVER;
    const about = { command, rule, view: waiting.view, triggerEventId, request: requestOf(waiting) };
    outputs.finding('decision_overdue', session, { reason: wait, severity: 'critical', ...about });
  } else if (waiting.remindMs <= nowMs) {
    waiting.remindMs = NEVER;
    const left = waiting.publishedMs + answerWithinMs - nowMs;
    const reason = left > 0 ? `no answer yet: ${formatDuration(left)} left` : 'no answer yet: the time is over';
    const about = { command, rule, view: waiting.view, triggerEventId, request: requestOf(waiting) };
    outputs.finding('decision_reminder', session, { reason, severity: 'high', ...about });
  }
}

/** Why silence is no answer here: people had no fair chance to give one. */
function waitReason({ standing }: Session, { publishedMs }: Pause, { partition }: Outputs): string | undefined {
  if (standing?.order !== undefined) return `the order for ${standing.order} is in force: nobody could release it`;
  if (publishedMs < partition.state.jumpedMs)
    return 'the clock of the log jumped while an answer was awaited: it waits for a person';
  return undefined;
}

/** The time of a grant is over: its conditions count again, and people are asked again. */
function endRelease(session: Session, release: Release, outputs: Outputs): void {
  const { standing, level, lastMs } = session;
  standing!.release = undefined;
  // Who was silent for so long has ended by then: there is nothing to pause.
  if (level === 'paused' || level === 'killed' || outputs.nowMs - lastMs >= outputs.settings.idleEndMs) return;
  const { conditions, command, grant, offset } = release;
  const [first] = conditions;
  const reason = `the granted ${grant.minutes} minutes are over`;
  const grounds = plainGrounds(first?.rule ?? 'firebreak:decision', reason, first?.score, first?.threshold);
  pause(session, grounds, conditions, { triggerEventId: command, offset }, outputs);
}

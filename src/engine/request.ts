import type { DecisionRequest, RequestedCondition } from '../domain/finding.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Cause, Grounds } from './grounds.ts';
import { actorOf, type Outputs } from './outputs.ts';
import type { Session } from './session/session.ts';
import { NEVER, type Pause } from './standing/pause.ts';

/**
 * Asks people for a decision. The finding is all that they see, and its digest stays with the session: an answer to
 * another view is refused.
 */
export function request(
  session: Session,
  pause: Pause,
  grounds: Grounds,
  { triggerEventId, actor = actorOf(session) }: Pick<Cause, 'triggerEventId' | 'actor'>,
  outputs: Outputs,
): void {
  const about = { ...actor, triggerEventId, ...grounds, command: pause.command };
  const asked = { ...about, request: requestOf(pause, { [grounds.rule]: grounds.reason }) };
  pause.view = outputs.finding('decision_requested', session, asked).view!;
  // Whoever has agreed has agreed to less than what is asked for now.
  pause.approvedBy = [];
  pause.approvedGrant = undefined;
}

/** `reasons`: by rule, of the conditions that hold at this record. */
export function requestOf(pause: Pause, reasons: Readonly<Record<string, string>> = {}): DecisionRequest {
  const { command, conditions, omitted, answerWithinMs, publishedMs, approvals, approvedBy } = pause;
  const timed = answerWithinMs !== NEVER;
  return {
    command,
    conditions: conditions.map(({ id: _, ...condition }): RequestedCondition => {
      const reason = reasons[condition.rule];
      return reason === undefined ? condition : { ...condition, reason };
    }),
    conditionsOmitted: omitted,
    ...(timed ? { answerWithinMs } : {}),
    ...(timed && publishedMs >= 0 ? { answerUntil: formatInstant(publishedMs + answerWithinMs) } : {}),
    approvals,
    approvedBy: [...approvedBy],
    grantBounds: ['marks', 'points', 'minutes', 'targets'],
  };
}

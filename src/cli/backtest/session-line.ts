import type { JudgedSession, Outcome } from '../../app/backtest/outcome.ts';
import { placeText } from '../../app/backtest/report.ts';
import { mapSides } from '../../app/backtest/sides.ts';
import { LEVELS } from '../../domain/level.ts';

/**
 * One session for a program. `raised` holds what first brought it to each level, in rising order; `event` counts the
 * events of the session from 1.
 */
export function sessionLine(judged: JudgedSession, sources: readonly string[], label: string | undefined): string {
  const { session, agent, role, events, place, outcome } = judged;
  return JSON.stringify({
    session,
    agent,
    role,
    ...(label === undefined ? {} : { label }),
    events,
    at: placeText(sources, place),
    ...mapSides(outcome, (side) => shownOutcome(side, sources)),
  });
}

function shownOutcome({ level, causes, shadow }: Outcome, sources: readonly string[]): object {
  const raised = LEVELS.flatMap((one) => {
    const cause = causes[one];
    return cause === undefined ? [] : [{ level: one, ...cause, place: undefined, at: placeText(sources, cause.place) }];
  });
  return { level, raised, ...(Object.keys(shadow).length === 0 ? {} : { shadow }) };
}

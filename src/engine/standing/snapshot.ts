import { formatInstant } from '../../domain/instant.ts';
import type { StandingState } from '../../domain/session.ts';
import { requestOf } from '../request.ts';
import type { Issued } from './issued.ts';
import { NEVER, type Pause } from './pause.ts';
import type { Release } from './release.ts';
import type { Standing } from './standing.ts';

export function standingState({ pause, release, issued, order }: Standing): StandingState {
  return {
    ...(pause && { pause: pauseState(pause) }),
    ...(release && { release: releaseState(release) }),
    // Without an id it only counts what the session did since a rebuild took its level over from a verdict.
    ...(issued && issued.id !== '' && { command: commandState(issued) }),
    ...(order !== undefined && { order }),
  };
}

function pauseState(pause: Pause): NonNullable<StandingState['pause']> {
  const { rule, view, remindMs, killMs } = pause;
  return { rule, view, request: requestOf(pause), ...instants({ remind: remindMs, kill: killMs }) };
}

function releaseState({ command, grant, used, untilMs, conditions }: Release): NonNullable<StandingState['release']> {
  const suspended = conditions.map(({ id: _, ...condition }) => condition);
  return { command, grant, marksUsed: used, ...instants({ until: untilMs }), conditions: suspended };
}

function commandState(issued: Issued): NonNullable<StandingState['command']> {
  const { id, atMs, publishedMs, attempts, reach, statuses, dueMs, against } = issued;
  return {
    id,
    caused: formatInstant(atMs),
    ...(publishedMs >= 0 && { published: formatInstant(publishedMs) }),
    attempts,
    classes: reach,
    acknowledged: statuses,
    ...instants({ due: dueMs }),
    actionsAgainst: against,
  };
}

/** Without those that never come. */
function instants<Name extends string>(times: Record<Name, number>): Partial<Record<Name, string>> {
  const coming = Object.entries<number>(times).filter(([, atMs]) => atMs !== NEVER);
  return Object.fromEntries(coming.map(([name, atMs]) => [name, formatInstant(atMs)])) as Partial<Record<Name, string>>;
}

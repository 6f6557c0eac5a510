import type { MeasureRead } from './plan/policy.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import type { Standing } from './window/feature.ts';

/** What a measure of a rule is now. `moved`: over all marks; `placed`: without those that were moved in time. */
export function readingOf(read: MeasureRead, group: Group, session: Session, marks: Standing): number {
  const state = group.features.get(read.feature.id);
  if (state === undefined) return 0;
  const nowMs = session.clockMs;
  const total = marks === 'placed' ? state.placed(nowMs) : state.total(nowMs);
  switch (read.reading) {
    case 'total':
      return total;
    case 'perMinute':
      return total / minutesOf(read.feature.withinMs, session);
    case 'ofAll': {
      // Moved marks too, also for a kill: without them the share would be larger.
      const all = session.groups.get(read.allGroup)?.features.get(read.all.id)?.total(nowMs) ?? 0;
      // A retry may add to the part alone: its failed call did not pass the filter, and has left the window of all.
      return total === 0 ? 0 : total / Math.max(total, all);
    }
    default:
      return read satisfies never;
  }
}

/** The window's length; over the life of a session its age, at least one minute so that a start is no burst. */
function minutesOf(withinMs: number, session: Session): number {
  const lengthMs = Number.isFinite(withinMs) ? withinMs : Math.max(session.clockMs - session.lifeStartMs, 60_000);
  return lengthMs / 60_000;
}

import type { Ruling } from './judge.ts';
import type { Step } from './session/evidence-step.ts';
import { STEPS_MAX } from './session/group.ts';
import type { Session } from './session/session.ts';

/**
 * The steps that a ruling rests on, in order of time, and how many more there were at least. What completed a sequence
 * comes first; the newest actions that passed the rule's filter fill the rest where the rule measures something else too.
 */
export function contributionsOf(session: Session, ruling: Ruling): { steps: Step[]; omitted: number } {
  const { rule, group } = ruling;
  const states = rule.reads.map(({ feature }) => group.features.get(feature.id));
  const sequences = states.flatMap((state) => (state?.holds === 'steps' ? [state] : []));
  const completed = sequences.filter((one) => one.total(session.clockMs) > 0).map((one) => one.completed());
  const distinct = new Map(completed.flatMap((one) => one.steps).map((step) => [keyOf(step), step]));
  const steps = [...distinct.values()].slice(-STEPS_MAX);
  const longestMs = Math.max(...rule.reads.map(({ feature }) => feature.withinMs));
  const passed = group.steps.filter((step) => contributes(step, session, longestMs));
  if (completed.length === 0 || sequences.length < states.length) {
    const more = passed.filter((step) => !distinct.has(keyOf(step)));
    if (steps.length < STEPS_MAX) steps.push(...more.slice(steps.length - STEPS_MAX));
  }
  steps.sort((a, b) => a.atMs - b.atMs);
  const marks = states.map((state) => (state === undefined || state.holds === 'steps' ? 0 : state.size()));
  const counted = Math.max(0, ...completed.map(({ count }) => count), ...marks);
  const all = Number.isFinite(longestMs) || completed.length > 0 ? counted : group.passed;
  return { steps, omitted: Math.max(0, all - steps.length) };
}

/** Whether a step is still inside the window, or in this life of the session. */
export function contributes(step: Step, session: Session, withinMs: number): boolean {
  return Number.isFinite(withinMs) ? step.atMs > session.clockMs - withinMs : step.atMs >= session.lifeStartMs;
}

function keyOf({ eventId, atMs }: Step): string {
  return `${atMs} ${eventId}`;
}

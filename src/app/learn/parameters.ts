import { type CohortModel, STREAMS } from '../../domain/baseline.ts';
import type { FeatureModel } from '../../engine/evidence/feature-evidence.ts';
import type { CheckedIntent } from '../../engine/evidence/intent.ts';
import type { IsKnown } from '../../engine/evidence/marks.ts';
import { EVERYBODY } from '../../engine/evidence/plan.ts';
import { type Fit, type FittedClock, fitCohorts } from '../../learning/fit.ts';
import { KnownValues } from '../../learning/known.ts';
import { type CohortSums, merged, NO_SESSIONS, type SessionRow, sumsOf } from '../../learning/sums.ts';
import { attend } from './attend.ts';
import type { Lesson } from './lesson.ts';

/** A cohort of fewer sessions is none of its own: its sessions belong to the next wider one. */
export const COHORT_SESSIONS = 30;
/** Exposure of a session whose events all have one time: a second, so that its rate exists. */
const MOMENT_HOURS = 1 / 3600;

/** The narrowest cohort of a session that has enough sessions. */
export type CohortOf = (lesson: Lesson) => string;

export function cohortsOf(lessons: readonly Lesson[]): CohortOf {
  const sizes = new Map<string | undefined, number>();
  for (const { cohortKeys } of lessons) for (const key of cohortKeys) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  return ({ cohortKeys }) => cohortKeys.find((key) => key && (sizes.get(key) ?? 0) >= COHORT_SESSIONS) ?? EVERYBODY;
}

/** What was learned of one intent, before its tails. */
export interface IntentParameters {
  global: CohortModel;
  cohorts: Record<string, CohortModel>;
}

/**
 * Parameters of every cohort, narrow and wide: each is learned from all its sessions, and what is new in one of them is
 * new to that cohort. `cohortBy` has `widths` ways to name a cohort.
 */
export function learnParameters(
  intents: readonly CheckedIntent[],
  lessons: readonly Lesson[],
  known: readonly KnownValues[],
  widths: number,
): IntentParameters[] {
  const cohorts = intents.map((): Record<string, CohortModel> => ({}));
  let global: CohortModel[] = [];
  for (let width = 0; width < widths; width++) {
    const fits = fitWidth(intents, lessons, known, (lesson) => lesson.cohortKeys[width] ?? EVERYBODY);
    for (const [i, { perEvent, perHour }] of fits.entries()) {
      for (const [key, events] of perEvent.cohorts) {
        if (key !== EVERYBODY && events.n >= COHORT_SESSIONS)
          cohorts[i]![key] = model(events, perHour.cohorts.get(key)!);
      }
    }
    global = fits.map(({ perEvent, perHour }) => model(perEvent.global, perHour.global));
  }
  return intents.map((_, i) => ({ global: global[i]!, cohorts: cohorts[i]! }));
}

type Fits = { perEvent: Fit<string>; perHour: Fit<string> }[];

function fitWidth(
  intents: readonly CheckedIntent[],
  lessons: readonly Lesson[],
  known: readonly KnownValues[],
  cohortOf: CohortOf,
): Fits {
  const sums = intents.map(() => ({ events: new Map<string, CohortSums>(), active: new Map<string, CohortSums>() }));
  const models = intents.map(({ id }) => neutral(id));
  for (const lesson of lessons) {
    const cohort = cohortOf(lesson);
    const { marks, events, activeHours } = attend(intents, models, knownBeside(known, cohort, lesson), lesson);
    for (const [i, { N, WW }] of marks.entries()) {
      add(sums[i]!.events, cohort, { N, W: N, WW, T: events });
      add(sums[i]!.active, cohort, { N, W: N, WW, T: Math.max(activeHours, MOMENT_HOURS) });
    }
  }
  return sums.map(({ events, active }) => ({ perEvent: fitCohorts(events), perHour: fitCohorts(active) }));
}

/** What is known to a cohort without the lesson's own unit: to the engine it is as new as a session of tomorrow. */
export function knownBeside(known: readonly KnownValues[], cohort: string, { unit }: Lesson): IsKnown {
  return (intent, value) => known[intent]!.hasBeside(cohort, EVERYBODY, value, unit);
}

export function knownValues(intents: readonly CheckedIntent[], lessons: readonly Lesson[]): KnownValues[] {
  const known = intents.map(() => new KnownValues());
  for (const { actions, cohortKeys, unit } of lessons) {
    const cohorts = [EVERYBODY, ...cohortKeys.filter((key) => key !== undefined)];
    for (const event of actions.values()) {
      for (const [i, { familiar }] of intents.entries()) {
        for (const value of familiar?.(event) ?? []) for (const cohort of cohorts) known[i]!.add(cohort, value, unit);
      }
    }
  }
  return known;
}

function add(sums: Map<string, CohortSums>, cohort: string, row: SessionRow): void {
  sums.set(cohort, merged(sums.get(cohort) ?? NO_SESSIONS, sumsOf(row)));
}

function model({ n, ...events }: FittedClock, { n: _, ...active }: FittedClock): CohortModel {
  return { events, active, n };
}

/** Marks do not depend on it; it only lets the engine run before anything is known. */
function neutral(id: number): FeatureModel {
  const clock = { mu: 1, phi: 1, a: 1 };
  const maps = STREAMS.map(() => ({ u: 1, lpu: 1, eta: 1 }));
  return { id, events: clock, active: clock, maps, lnShares: STREAMS.map(() => 0) };
}

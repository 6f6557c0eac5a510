import { type CohortModel, STREAMS } from '../../domain/baseline.ts';
import type { FeatureModel } from '../../engine/evidence/feature-evidence.ts';
import type { CheckedIntent } from '../../engine/evidence/intent.ts';
import type { IsKnown } from '../../engine/evidence/marks.ts';
import { EVERYBODY } from '../../engine/evidence/plan.ts';
import { type FittedClock, fitCohorts } from '../../learning/fit.ts';
import { KnownValues } from '../../learning/known.ts';
import { type CohortSums, merged, NO_SESSIONS, sumsOf } from '../../learning/sums.ts';
import { attend } from './attend.ts';
import type { Lesson } from './lesson.ts';

/** A cohort of fewer sessions is none of its own: its sessions belong to the next wider one. */
export const COHORT_SESSIONS = 30;
/** Exposure of a session whose events all have one time: a second, so that its rate exists. */
const MOMENT_HOURS = 1 / 3600;

/** The narrowest cohort of a session that has enough sessions. */
export type CohortOf = (lesson: Lesson) => string;
export type CohortSizes = Map<string, number>;

export function cohortSizes(lessons: readonly Lesson[]): CohortSizes {
  const sizes: CohortSizes = new Map();
  for (const { cohortKeys } of lessons)
    for (const key of cohortKeys) if (key !== undefined) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  return sizes;
}

export function cohortsOf(sizes: CohortSizes): CohortOf {
  return ({ cohortKeys }) => cohortKeys.find((key) => key && (sizes.get(key) ?? 0) >= COHORT_SESSIONS) ?? EVERYBODY;
}

/** What was learned of one intent, before its tails. */
export interface IntentParameters {
  global: CohortModel;
  cohorts: Record<string, CohortModel>;
}

/** What the sessions of each cohort add up to, on both clocks. */
export interface CohortTable {
  events: Map<string, CohortSums>;
  active: Map<string, CohortSums>;
}

/** By width, by intent: each way to name a cohort sees all sessions. */
export type ParameterSums = CohortTable[][];

/** What is new in a session is new to its cohort, so that every width reads the sessions on its own. */
export function sumLessons(
  intents: readonly CheckedIntent[],
  lessons: readonly Lesson[],
  known: readonly KnownValues[],
  widths: number,
): ParameterSums {
  const sums = emptySums(intents.length, widths);
  const models = intents.map(({ id }) => neutral(id));
  for (const lesson of lessons) {
    const opened = { ...lesson, actions: lesson.actions };
    for (const [width, tables] of sums.entries()) {
      const cohort = lesson.cohortKeys[width] ?? EVERYBODY;
      const { marks, events, activeHours } = attend(intents, models, knownBeside(known, cohort, lesson), opened);
      for (const [i, { N, WW }] of marks.entries()) {
        add(tables[i]!.events, cohort, sumsOf({ N, W: N, WW, T: events }));
        add(tables[i]!.active, cohort, sumsOf({ N, W: N, WW, T: Math.max(activeHours, MOMENT_HOURS) }));
      }
    }
  }
  return sums;
}

/** The order of the parts moves the last bits: whoever wants the same bytes gives the same parts in the same order. */
export function mergeSums(parts: readonly ParameterSums[], intents: number, widths: number): ParameterSums {
  const sums = emptySums(intents, widths);
  for (const part of parts) {
    for (const [width, tables] of part.entries()) {
      for (const [i, { events, active }] of tables.entries()) {
        for (const [cohort, one] of events) add(sums[width]![i]!.events, cohort, one);
        for (const [cohort, one] of active) add(sums[width]![i]!.active, cohort, one);
      }
    }
  }
  return sums;
}

/** Parameters of every cohort, narrow and wide: each is learned from all its sessions. */
export function fitParameters(sums: ParameterSums): IntentParameters[] {
  const fitted = sums.map((tables) =>
    tables.map(({ events, active }) => ({ perEvent: fitCohorts(events), perHour: fitCohorts(active) })),
  );
  return fitted.at(-1)!.map(({ perEvent, perHour }, i) => {
    const cohorts: Record<string, CohortModel> = {};
    for (const fits of fitted) {
      for (const [key, events] of fits[i]!.perEvent.cohorts) {
        if (key !== EVERYBODY && events.n >= COHORT_SESSIONS)
          cohorts[key] = model(events, fits[i]!.perHour.cohorts.get(key)!);
      }
    }
    return { global: model(perEvent.global, perHour.global), cohorts };
  });
}

function emptySums(intents: number, widths: number): ParameterSums {
  const table = (): CohortTable => ({ events: new Map(), active: new Map() });
  return Array.from({ length: widths }, () => Array.from({ length: intents }, table));
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

function add(sums: Map<string, CohortSums>, cohort: string, more: CohortSums): void {
  sums.set(cohort, merged(sums.get(cohort) ?? NO_SESSIONS, more));
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

import { type Baseline, type Budgets, type IntentBaseline, STREAMS, type TailMap } from '../../domain/baseline.ts';
import { reachOf, scoresOf } from '../../domain/reach.ts';
import type { CheckedIntent } from '../../engine/evidence/intent.ts';
import { planEvidence } from '../../engine/evidence/plan.ts';
import { certify } from '../../learning/certify.ts';
import { type Concentration, limited, type Party } from '../../learning/concentration.ts';
import type { KnownValues } from '../../learning/known.ts';
import { type Part, partOf, type SplitShares } from '../../learning/split.ts';
import { fitTail } from '../../learning/tail.ts';
import { type Attended, attend } from './attend.ts';
import type { Lesson } from './lesson.ts';
import {
  type CohortOf,
  cohortsOf,
  type IntentParameters,
  knownBeside,
  knownValues,
  learnParameters,
} from './parameters.ts';

export interface LearnOptions {
  cohortBy: Baseline['cohortBy'];
  budgets: Budgets;
  split: SplitShares;
}

export interface Learned {
  baseline: Baseline;
  /** Whose sessions certify the thresholds, and what was left out because it would have been too many of one. */
  certifying: Record<Party, Concentration>;
}

/** Narrow to wide: a session belongs to the first that enough sessions were seen of. */
export const COHORT_BY: Baseline['cohortBy'] = [
  ['tenant', 'agent.role', 'task'],
  ['tenant', 'agent.role'],
  ['agent.role'],
];
/** The same for the fields that a policy names, the widest first; a role is a cohort of its own wherever it is named. */
export function cohortsFrom(fields: readonly string[]): Baseline['cohortBy'] {
  const prefixes = fields.map((_, index) => fields.slice(0, fields.length - index));
  return fields.length > 1 && fields.indexOf('agent.role') > 0 ? [...prefixes, ['agent.role']] : prefixes;
}

/** What is known needs most of the sessions; thresholds at a small budget need many too. */
export const SPLIT: SplitShares = { parameters: 0.6, maps: 0.15 };

/**
 * Learns from finished benign sessions, in three parts that share no unit, so that nothing which certifies a threshold
 * has shaped what it certifies:
 *
 *   parameters   rate and dispersion of each intent in each cohort
 *   maps         how far each stream of each intent reaches in a session
 *   thresholds   how far the evidence of a whole session reaches
 *
 * Which values are known is learned from all of them, and each session is measured without what only its own unit
 * brought: then it is as a session of tomorrow, and no session is spent on knowledge alone. That one knows a unit less
 * than tomorrow's errs to more that is new, and to higher thresholds.
 *
 * The same lessons give the same baseline, whatever their order.
 */
export function learnBaseline(
  intents: readonly CheckedIntent[],
  lessons: readonly Lesson[],
  options: LearnOptions,
): Learned {
  const parts: Record<Part, Lesson[]> = { parameters: [], maps: [], thresholds: [] };
  const sorted = [...lessons].sort((a, b) => (a.session < b.session ? -1 : 1));
  for (const lesson of sorted) parts[partOf(lesson.unit, options.split)].push(lesson);
  const cohortOf = cohortsOf(parts.parameters);
  const known = knownValues(intents, sorted);
  const parameters = learnParameters(intents, parts.parameters, known, options.cohortBy.length);
  const draft: Baseline = {
    format: 1,
    cohortBy: options.cohortBy,
    intents: describe(intents, parameters, known, () => [FLAT, FLAT, FLAT, FLAT]),
    thresholds: certify([], options.budgets),
    onUncertified: options.budgets.onUncertified,
    sessions: {
      parameters: parts.parameters.length,
      maps: parts.maps.length,
      thresholds: parts.thresholds.length,
    },
  };
  const reached = attendAll(intents, draft, parts.maps, known, cohortOf).map(({ suprema }) => suprema);
  const mapped = describe(intents, parameters, known, (intent) =>
    STREAMS.map((_, stream) => tailOf(reached.map((suprema) => suprema[intent]![stream]!))),
  );
  const scores = attendAll(intents, { ...draft, intents: mapped }, parts.thresholds, known, cohortOf);
  const { kept, by } = limited(parts.thresholds.map((lesson, i) => ({ ...lesson, highest: scores[i]?.highest ?? 0 })));
  const reach = reachOf(kept.map(({ highest }) => highest));
  const thresholds = certify(scoresOf(reach), options.budgets);
  const sessions = { ...draft.sessions, thresholds: kept.length };
  return { baseline: { ...draft, intents: mapped, reach, thresholds, sessions }, certifying: by };
}

const FLAT: TailMap = { u: 1, lpu: 1, eta: 1 };

function tailOf(suprema: readonly number[]): TailMap {
  const { u, lpu, eta } = fitTail(suprema);
  return { u, lpu, eta };
}

function describe(
  intents: readonly CheckedIntent[],
  parameters: readonly IntentParameters[],
  known: readonly KnownValues[],
  mapsOf: (intent: number) => TailMap[],
): Baseline['intents'] {
  const described = intents.map(({ intent, meaning, familiar }, i) => {
    const { global, cohorts } = parameters[i]!;
    const [volume, rate, burst, shift] = mapsOf(i) as [TailMap, TailMap, TailMap, TailMap];
    const learned: IntentBaseline = {
      meaning,
      global,
      cohorts,
      maps: { volume, rate, burst, shift },
      ...(familiar ? { known: known[i]!.sets() } : {}),
    };
    return [intent.id, learned] as const;
  });
  return Object.fromEntries(described);
}

/** The sessions as a partition would see them under this baseline, had it been learned without each one's own unit. */
function attendAll(
  intents: readonly CheckedIntent[],
  baseline: Baseline,
  lessons: readonly Lesson[],
  known: readonly KnownValues[],
  cohortOf: CohortOf,
): Attended[] {
  const plan = planEvidence(intents, baseline);
  if (plan === undefined) return [];
  return lessons.map((lesson) => {
    const { key, models } = plan.cohort(cohortOf(lesson));
    return attend(plan.intents, models, knownBeside(known, key, lesson), lesson);
  });
}

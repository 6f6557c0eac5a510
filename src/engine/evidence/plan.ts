import { createHash } from 'node:crypto';
import { type Baseline, type CertifiedThreshold, type IntentBaseline, STREAMS } from '../../domain/baseline.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { fieldOf } from '../../domain/fields.ts';
import { CONDITIONS, type Condition } from '../../domain/level.ts';
import { scoresOf } from '../../domain/reach.ts';
import type { FeatureModel } from './feature-evidence.ts';
import type { CheckedIntent } from './intent.ts';
import type { IsKnown } from './marks.ts';
import type { EvidenceThresholds } from './thresholds.ts';

/** The intents of a policy with what was learned of them. */
export interface EvidencePlan {
  /** SHA-256 of the baseline in canonical JSON. */
  hash: string;
  /** What it was learned of. It says nothing of the other: a crowd does more than any of its sessions. */
  of: 'sessions' | 'crowds';
  /** Those with a baseline, in the order of the policy. The others mark nothing: nobody knows what is much of them. */
  intents: readonly CheckedIntent[];
  thresholds: EvidenceThresholds;
  /** What the sessions that certify reached, falling; empty where the baseline does not say. */
  reached: readonly number[];
  certified: Readonly<Record<Condition, CertifiedThreshold>>;
  /** What evidence beyond a threshold of kill that nothing certifies does. */
  onUncertified: Baseline['onUncertified'];
  /** What the steps kept for the explanation of one intent may take. */
  stepBytes: number;
  /** Key of the cohort that an action's session belongs to; empty where none was learned. */
  cohortOf(event: ActionEvent): string;
  cohort(key: string): CohortPlan;
}

export interface CohortPlan {
  key: string;
  models: readonly FeatureModel[];
  isKnown: IsKnown;
}

/** What the steps of all intents of a session may take. */
const INTENT_STEPS_BYTES = 8 * 1024;

/** In the place of a cohort's name: all sessions together. */
export const EVERYBODY = '';

/** Undefined for a policy without a baseline, or of which no intent and no rule is as when it was learned. */
export function planEvidence(all: readonly CheckedIntent[], baseline: Baseline | undefined): EvidencePlan | undefined {
  if (baseline === undefined) return undefined;
  const learned = all.flatMap((intent) => {
    const known = baseline.intents[intent.intent.id];
    return known?.meaning === intent.meaning ? [{ intent, known }] : [];
  });
  const numbers = Object.values(baseline.rules ?? {});
  if (learned.length === 0 && numbers.length === 0) return undefined;
  const shares = sharesOf(learned.map(({ intent }) => intent));
  const plans = new Map<string, CohortPlan>();
  const keys = new Set(
    [...learned.map(({ known }) => known), ...numbers].flatMap(({ cohorts }) => Object.keys(cohorts)),
  );
  for (const key of [EVERYBODY, ...keys]) plans.set(key, planCohort(key, learned, shares));
  const { thresholds } = baseline;
  return {
    hash: `sha256:${createHash('sha256').update(canonicalJson(baseline)).digest('hex')}`,
    of: baseline.of ?? 'sessions',
    intents: learned.map(({ intent }) => intent),
    reached: baseline.reach === undefined ? [] : scoresOf(baseline.reach),
    certified: thresholds,
    onUncertified: baseline.onUncertified,
    stepBytes: Math.floor(INTENT_STEPS_BYTES / Math.max(1, learned.length)),
    thresholds: Object.fromEntries(
      CONDITIONS.map((condition) => [condition, thresholds[condition].c ?? Number.POSITIVE_INFINITY]),
    ) as EvidenceThresholds,
    cohortOf: (event) => cohortKeys(baseline.cohortBy, event).find((key) => key && keys.has(key)) ?? EVERYBODY,
    cohort: (key) => plans.get(key) ?? plans.get(EVERYBODY)!,
  };
}

/** The cohorts that an action belongs to, in the order of `cohortBy`, such as `tenant=corp,agent.role=mail`. */
export function cohortKeys(cohortBy: Baseline['cohortBy'], event: ActionEvent): (string | undefined)[] {
  return cohortBy.map((fields) => {
    const parts = fields.map((name) => [name, fieldOf(name)?.read(event) ?? ''] as const);
    return parts.some(([, value]) => value === '')
      ? undefined
      : parts.map(([name, value]) => `${name}=${value}`).join(',');
  });
}

interface Learned {
  intent: CheckedIntent;
  known: IntentBaseline;
}

/** Of the budget that belongs to all of them, ln, for each stream of each intent. */
function sharesOf(intents: readonly CheckedIntent[]): number[] {
  const whole = intents.reduce((sum, { intent }) => sum + intent.share, 0);
  return intents.map(({ intent }) => Math.log(intent.share / whole / STREAMS.length));
}

function planCohort(key: string, learned: readonly Learned[], lnShares: readonly number[]): CohortPlan {
  const models = learned.map(({ intent, known: { cohorts, global, maps } }, i): FeatureModel => {
    const { events, active } = cohorts[key] ?? global;
    return {
      id: intent.id,
      events,
      active,
      maps: STREAMS.map((stream) => maps[stream]),
      lnShares: STREAMS.map(() => lnShares[i]!),
    };
  });
  const values = learned.map(({ known: { known } }) => new Set(known?.[key] ?? known?.[EVERYBODY] ?? []));
  return { key, models, isKnown: (intent, value) => values[intent]!.has(value) };
}

import type { Baseline, CertifiedThreshold, IntentBaseline } from '../../domain/baseline.ts';
import { CONDITIONS, type Condition } from '../../domain/level.ts';
import { type Move, movesBeyond } from './moves.ts';

/** A cohort whose rate of marks moved. */
export interface MovedCohort {
  /** Name of the cohort; empty for all sessions together. */
  cohort: string;
  /** Marks per action. */
  before: number;
  after: number;
  /** Sessions that the rates rest on. */
  sessions: { before: number; after: number };
}

export interface IntentDiff {
  intent: string;
  /** Only one of the two has it, or its marks mean something else: nothing can be compared. */
  kind: 'added' | 'removed' | 'redefined' | 'compared';
  moved: MovedCohort[];
  cohorts: { added: string[]; removed: string[] };
  /** Values that were learned or forgotten, over all cohorts. */
  known: { added: string[]; removed: string[] };
}

export interface BaselineDiff {
  sessions: Record<keyof Baseline['sessions'], { before: number; after: number }>;
  thresholds: Record<Condition, { before: CertifiedThreshold; after: CertifiedThreshold }>;
  intents: IntentDiff[];
  /** What `firebreak learn` would not have taken over by itself. */
  beyond: Move[];
}

/** A rate counts as moved beyond this factor, up or down. */
export const MOVED_FACTOR = 1.25;

/** Of rates that rest on fewer marks a move is chance. Sessions of one action are assumed, so it errs to silence. */
const MARKS_MIN = 3;

/** What two baselines say differently. Cohorts that moved most come first. */
export function diffBaselines(before: Baseline, after: Baseline): BaselineDiff {
  const ids = [...new Set([...Object.keys(before.intents), ...Object.keys(after.intents)])].sort();
  const pairs = <K extends string, V>(keys: readonly K[], of: (baseline: Baseline, key: K) => V) =>
    Object.fromEntries(keys.map((key) => [key, { before: of(before, key), after: of(after, key) }])) as Record<
      K,
      { before: V; after: V }
    >;
  return {
    sessions: pairs(['parameters', 'maps', 'thresholds'], ({ sessions }, key) => sessions[key]),
    thresholds: pairs(CONDITIONS, ({ thresholds }, key) => thresholds[key]),
    intents: ids.map((id) => diffIntent(id, before.intents[id], after.intents[id])),
    beyond: movesBeyond(before, after),
  };
}

function diffIntent(intent: string, before: IntentBaseline | undefined, after: IntentBaseline | undefined): IntentDiff {
  const nothing = { moved: [], cohorts: { added: [], removed: [] }, known: { added: [], removed: [] } };
  if (before === undefined) return { intent, kind: 'added', ...nothing };
  if (after === undefined) return { intent, kind: 'removed', ...nothing };
  if (before.meaning !== after.meaning) return { intent, kind: 'redefined', ...nothing };
  const models = ({ global, cohorts }: IntentBaseline) => new Map([['', global], ...Object.entries(cohorts)]);
  const [old, now] = [models(before), models(after)];
  const moved = [...now]
    .flatMap(([cohort, { events, n }]): MovedCohort[] => {
      const was = old.get(cohort);
      if (was === undefined) return [];
      return [{ cohort, before: was.events.mu, after: events.mu, sessions: { before: was.n, after: n } }];
    })
    .filter((one) => distance(one) >= Math.log(MOVED_FACTOR) && marksOf(one) >= MARKS_MIN)
    .sort((a, b) => distance(b) - distance(a) || (a.cohort < b.cohort ? -1 : 1));
  return {
    intent,
    kind: 'compared',
    moved,
    cohorts: added(old.keys(), now.keys()),
    known: added(before.known?.[''] ?? [], after.known?.[''] ?? []),
  };
}

function marksOf({ before, after, sessions }: MovedCohort): number {
  return Math.max(before * sessions.before, after * sessions.after);
}

/** How far a rate moved, as a logarithm of the factor. */
function distance({ before, after }: MovedCohort): number {
  return Math.abs(Math.log(after / before));
}

function added(before: Iterable<string>, after: Iterable<string>): { added: string[]; removed: string[] } {
  const [old, now] = [new Set(before), new Set(after)];
  return { added: [...now].filter((one) => !old.has(one)), removed: [...old].filter((one) => !now.has(one)) };
}

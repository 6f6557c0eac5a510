import type { Baseline } from '../../domain/baseline.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { PolicyBody } from '../../domain/rule.ts';
import { type CheckedIntent, checkIntent } from '../../engine/evidence/intent.ts';
import type { SplitShares } from '../../learning/split.ts';
import { RuleNumbers } from './rule-numbers.ts';

/** What is learned, and of whom. */
export interface Subject {
  intents: readonly CheckedIntent[];
  /** The numbers that rules read; of a folder without such rules there are none. */
  numbers: RuleNumbers;
  cohortBy: Baseline['cohortBy'];
  split: SplitShares;
  /** Whether an intent or a rule with numbers looks at the action. */
  looksAt(event: ActionEvent): boolean;
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

/** Of a policy that passed its checks: an intent with a mistake is left out. */
export function subjectOf(body: PolicyBody): Subject {
  const intents = (body.intents ?? []).flatMap((intent) => {
    const result = checkIntent(intent);
    return result.ok ? [result.checked] : [];
  });
  const { cohort } = body.settings;
  const cohortBy = cohort === undefined ? COHORT_BY : cohortsFrom(cohort);
  return subject(intents, new RuleNumbers(body), { cohortBy, split: SPLIT });
}

export function subject(
  intents: readonly CheckedIntent[],
  numbers: RuleNumbers,
  { cohortBy, split }: Pick<Subject, 'cohortBy' | 'split'>,
): Subject {
  const looksAt = (event: ActionEvent) =>
    intents.some(({ test, after }) => test(event) || after?.test(event) === true) || numbers.looksAt(event);
  return { intents, numbers, cohortBy, split, looksAt };
}

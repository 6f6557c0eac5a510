import { CONDITIONS, type Condition, levelRank } from '../domain/level.ts';
import { EVERYBODY } from './evidence/plan.ts';
import { ExpressionFault } from './expression/fault.ts';
import type { Value } from './expression/term.ts';
import type { StatedCondition } from './plan/conditions.ts';
import type { SessionName } from './plan/names.ts';
import type { RulePlan } from './plan/policy.ts';
import { readingOf } from './readings.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import type { Standing } from './window/feature.ts';

/** What one rule says of a session at one record, with the numbers that it looked at. */
export interface Ruling {
  rule: RulePlan;
  group: Group;
  /** The highest condition that holds, capped where certainty is missing. */
  condition: Condition | undefined;
  /** What holds before it is capped. */
  decidedBy: RulePlan['conditions'][number] | undefined;
  /** Why an expression has no value; the rule's `onError` then holds too. */
  fault: ExpressionFault['reason'] | undefined;
  values: readonly Value[];
  /** What the sentence for people ends with. */
  note: string;
  /** What the rule would have done without its exceptions, where that is more. */
  lifted: { whole: Ruling; exceptions: readonly string[] } | undefined;
}

const SESSION_VALUES: Record<SessionName, (session: Session) => Value> = {
  'session.age': (session) => session.clockMs - session.lifeStartMs,
  'session.actions': (session) => session.actions,
  'session.level': (session) => levelRank(session.level),
  'session.agent': (session) => session.agent,
  'session.role': (session) => session.role ?? '',
  'session.principal': (session) => session.principal ?? '',
  'session.purpose': (session) => session.purpose ?? '',
};

/**
 * Evaluates one rule over what its group has counted. Changes nothing but what has expired. A condition without a
 * value takes nothing from the others: the higher of what they say and of `onError` holds.
 */
export function judge(rule: RulePlan, group: Group, session: Session, conditions = rule.conditions): Ruling {
  const values = valuesOf(rule, group, session, 'moved');
  const ruling: Ruling = {
    rule,
    group,
    condition: undefined,
    decidedBy: undefined,
    fault: undefined,
    values,
    note: '',
    lifted: undefined,
  };
  for (let i = conditions.length - 1; i >= 0; i--) {
    const stated = conditions[i]!;
    const holds = valueOrFault(stated.holds, values);
    if (typeof holds === 'string') ruling.fault = holds;
    if (holds !== true) continue;
    ruling.decidedBy = stated;
    const certain = stated.condition !== 'kill' || isCertain(rule, group, session, stated.holds);
    ruling.condition = certain ? stated.condition : 'pause';
    break;
  }
  const { onError } = rule.rule;
  if (ruling.fault !== undefined && rankOf(onError) > rankOf(ruling.condition)) ruling.condition = onError;
  return ruling;
}

/** -1 for no condition, then rising. */
export function rankOf(condition: Condition | undefined): number {
  return condition === undefined ? -1 : CONDITIONS.indexOf(condition);
}

/** A kill rests on marks whose time is sure and on a session that is known whole; else a person decides. */
function isCertain(rule: RulePlan, group: Group, session: Session, holds: Holds): boolean {
  return !session.degraded && valueOrFault(holds, valuesOf(rule, group, session, 'placed')) === true;
}

type Holds = RulePlan['conditions'][number]['holds'];

function valueOrFault<T>(
  run: (values: readonly Value[]) => T,
  values: readonly Value[],
): T | ExpressionFault['reason'] {
  try {
    return run(values);
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    return error.reason;
  }
}

/** One comparison of a condition with the numbers of a ruling. */
export interface Compared {
  score: number;
  threshold: number;
  holds: boolean;
}

/** What one condition compares. A side without a value belongs to a part that the condition skipped. */
export function comparedBy({ comparisons }: StatedCondition, values: readonly Value[]): Compared[] {
  return comparisons.flatMap(({ holds, score, threshold }) => {
    const numbers = [valueOrFault(score, values), valueOrFault(threshold, values)] as const;
    if (typeof numbers[0] === 'string' || typeof numbers[1] === 'string') return [];
    return [{ score: numbers[0], threshold: numbers[1], holds: valueOrFault(holds, values) === true }];
  });
}

/** What decided, as a number and what it was compared with: for people, the decision is the whole condition. */
export function decidingNumbers({ decidedBy, values }: Ruling): { score: number; threshold: number } {
  const usable = decidedBy === undefined ? [] : comparedBy(decidedBy, values);
  const { score, threshold } = usable.find(({ holds }) => holds) ??
    usable[0] ?? { score: Number(values[0]), threshold: 0 };
  return { score: Number.isFinite(score) ? score : 0, threshold };
}

/** Each condition of the rule over the numbers of a ruling, rising: whether it holds, and what it compares. */
export function boundsOf({ rule, values }: Ruling): { condition: Condition; holds: boolean; compared: Compared[] }[] {
  return rule.conditions.map((stated) => ({
    condition: stated.condition,
    holds: valueOrFault(stated.holds, values) === true,
    compared: comparedBy(stated, values),
  }));
}

/** The values in the order of `RuleNames`. `moved`: all marks; `placed`: without those that were moved in time. */
function valuesOf(rule: RulePlan, group: Group, session: Session, marks: Standing): Value[] {
  const values = blankOf(rule, session).slice();
  const { reads } = rule;
  for (let slot = 0; slot < reads.length; slot++) values[slot] = readingOf(reads[slot]!, group, session, marks);
  for (const { slot, name } of rule.sessionReads) values[slot] = SESSION_VALUES[name](session);
  return values;
}

export function measuresOf({ rule, values }: Ruling): Record<string, number> {
  return Object.fromEntries(rule.names.measures.map((name, slot) => [name, Number(values[slot])]));
}

/** The numbers of the baseline that the rule looked at. */
export function baselineOf({ rule, values }: Ruling): Record<string, number> {
  const { measures, baseline } = rule.names;
  return Object.fromEntries(baseline.map(({ name }, at) => [name, Number(values[measures.length + at])]));
}

/** Whose numbers those are: of a cohort, or empty for all sessions; undefined where nothing was learned for the rule. */
export function cohortOf({ learned }: RulePlan, { intents }: Session): string | undefined {
  if (learned === undefined) return undefined;
  return intents !== undefined && learned.has(intents.cohort) ? intents.cohort : EVERYBODY;
}

function blankOf(rule: RulePlan, session: Session): readonly Value[] {
  const cohort = cohortOf(rule, session);
  return cohort === undefined ? rule.blank : rule.learned!.get(cohort)!;
}

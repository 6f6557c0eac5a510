import { CONDITIONS, type Condition, LEVEL_OF } from '../../domain/level.ts';
import type { Rule } from '../../domain/rule.ts';
import { compileExpression } from '../../engine/expression/compile.ts';
import { ExpressionFault } from '../../engine/expression/fault.ts';
import type { Values } from '../../engine/expression/term.ts';
import { PolicyRefused, type RulePlan } from '../../engine/plan/policy.ts';
import { type ThresholdText, thresholdTexts } from './comparison-text.ts';
import { rerunOf } from './rerun.ts';
import type { Rise, Story } from './story.ts';

/** The threshold nearest to the one in force with which the rule would not have brought the session to this level. */
export interface SparedThreshold {
  condition: Condition;
  /** What is measured, as the rule writes it. */
  score: string;
  operator: ThresholdText['operator'];
  /** The threshold in force, as the rule writes it. */
  was: string;
  threshold: number;
  /** The whole condition with it. */
  text: string;
}

/**
 * Why no other threshold was tried. `intent`: intents stopped it, which have no condition. `no_threshold`: the condition
 * compares no measure with one.
 */
export type Untried = 'intent' | 'exceptions' | 'no_threshold';

/** The conditions of a rule that lead to the level of the rise. */
export function conditionOf(rise: Rise): Condition {
  return CONDITIONS.find((condition) => LEVEL_OF[condition] === rise.level)!;
}

/**
 * For each comparison with a threshold in the condition that fired: the least change of that threshold alone that
 * spares the session over all that is recorded of it. What can decide is a value that was observed, so the candidates
 * are these, and each answer was tried by judging the whole session again. Nothing is tried for a rule with exceptions:
 * it holds two bounds over two counts.
 */
export function sparedThresholds(story: Story, rise: Rise): SparedThreshold[] | Untried {
  const condition = conditionOf(rise);
  const planned = planOf(story, rise);
  const source = planned?.rule.when[condition];
  if (planned === undefined) return 'intent';
  if (planned.exceptions.length > 0) return 'exceptions';
  const texts = typeof source === 'string' ? thresholdTexts(source) : [];
  if (texts.length === 0) return 'no_threshold';
  return texts.flatMap((text) => {
    const spares = (value: number) => sparedBy(story, rise, condition, text.withThreshold(value));
    const threshold = leastSparing(candidates(story, planned, text), spares);
    const { score, operator, threshold: was } = text;
    if (threshold === undefined) return [];
    return [{ condition, score, operator, was, threshold, text: text.withThreshold(threshold) }];
  });
}

/** Whether this rule alone, with another text of the condition, would not have brought the session to the level. */
export function sparedBy(story: Story, rise: Rise, condition: Condition, text: string): boolean {
  try {
    const rises = rerunOf(story, (rule) => changed(rule, rise.rule, condition, text))();
    return rises.every(({ level }) => level !== rise.level);
  } catch (error) {
    if (error instanceof PolicyRefused) return false; // the text would be too long for a condition
    throw error;
  }
}

function changed(rule: Rule, id: string, condition: Condition, text: string): Rule | undefined {
  return rule.id === id ? { ...rule, when: { ...rule.when, [condition]: text } } : undefined;
}

export function planOf({ actions }: Story, { number, rule }: Rise): RulePlan | undefined {
  const { plan } = actions[number - 1]!;
  for (const { rules } of plan?.groups.values() ?? []) {
    const found = rules.find((one) => one.rule.id === rule);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Each threshold at which some observed value stops to hold, nearest to the one in force first. */
function candidates(story: Story, { rule, names }: RulePlan, { score, operator, holds }: ThresholdText): number[] {
  const compiled = compileExpression(score, names);
  if (!compiled.ok) return [];
  const moments = [...story.actions, ...story.rises.flatMap(({ silence }) => silence ?? [])];
  const values = moments.flatMap(({ readings }) =>
    readings.flatMap((reading) => (reading.rule === rule.id ? numberOf(compiled.evaluate, reading.values) : [])),
  );
  const whole = values.every(Number.isInteger);
  const beyond = (value: number): number => {
    if (operator === '>' || operator === '<') return value; // not above itself
    if (whole) return operator === '>=' ? value + 1 : value - 1;
    return neighbour(value, operator === '>=' ? 1 : -1);
  };
  const distinct = [...new Set(values.map(beyond))].sort((a, b) => a - b);
  return holds === 'above' ? distinct : distinct.reverse();
}

function numberOf(evaluate: (values: Values) => unknown, values: Values): number[] {
  try {
    const value = evaluate(values);
    return typeof value === 'number' && Number.isFinite(value) ? [value] : [];
  } catch (error) {
    if (error instanceof ExpressionFault) return []; // a value that is none is compared with nothing
    throw error;
  }
}

/** The next double above (1) or below (-1). */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(value > 0 === direction > 0 ? 1 : -1));
  return view.getFloat64(0);
}

/** A threshold farther off never makes a condition of `and` and `or` hold, so halving finds the first that spares. */
function leastSparing(ordered: readonly number[], spares: (value: number) => boolean): number | undefined {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spares(ordered[middle]!)) high = middle;
    else low = middle + 1;
  }
  const found = ordered[low];
  // Under a `not` the halving proves nothing: what it found has to stand by itself.
  return found !== undefined && spares(found) ? found : undefined;
}

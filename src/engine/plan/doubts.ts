import { CONDITIONS, type Condition } from '../../domain/level.ts';
import type { Rule } from '../../domain/rule.ts';
import { compileExpression } from '../expression/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { declareNames } from './names.ts';

/** What is allowed and still looks like a mistake: conditions that never hold, thresholds in the wrong order. */
export function doubtsOf(rule: Rule): RuleProblem[] {
  const stated = CONDITIONS.filter((condition) => rule.when[condition] !== undefined);
  const never = stated.filter((condition) => isNever(rule, condition));
  if (never.length > 0 && never.length === stated.length) {
    return [{ path: ['when'], place: 'key', message: 'no condition ever holds: this rule can never fire' }];
  }
  return [
    ...never.map((condition) => ({ path: ['when', condition], message: `${condition} never holds` })),
    ...upsideDown(rule),
  ];
}

function isNever(rule: Rule, condition: Condition): boolean {
  const source = rule.when[condition];
  if (typeof source !== 'string') return source === false;
  const compiled = compileExpression(source, declareNames(Object.keys(rule.measure), rule.baselineDefaults));
  return compiled.ok && compiled.names.length === 0 && compiled.evaluate([]) === false;
}

/** A higher level that is reached before a lower one makes the lower one mean nothing. */
function upsideDown(rule: Rule): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const bounds = CONDITIONS.flatMap((condition) => {
    const bound = boundOf(rule.when[condition]);
    return bound ? [{ condition, ...bound }] : [];
  });
  for (const [index, upper] of bounds.entries()) {
    const lower = bounds.slice(0, index).findLast((one) => one.measure === upper.measure);
    if (!lower || needsLess(lower, upper)) continue;
    const message = `${upper.condition} needs no more than ${lower.condition} (${lower.text}), so that level would be skipped`;
    problems.push({ path: ['when', upper.condition], message });
  }
  return problems;
}

const COMPARISON = /^\s*([A-Za-z_]\w*)\s*(>=?)\s*(\d+(?:\.\d+)?)\s*$/;

interface Bound {
  text: string;
  measure: string;
  number: number;
  operator: '>' | '>=';
}

function needsLess(lower: Bound, upper: Bound): boolean {
  if (lower.number !== upper.number) return lower.number < upper.number;
  return lower.operator === '>=' && upper.operator === '>';
}

/** The parts of `deletes > 20`; undefined for any other condition. */
function boundOf(source: string | boolean | undefined): Bound | undefined {
  const found = typeof source === 'string' ? COMPARISON.exec(source) : null;
  if (!found) return undefined;
  const [text, measure, operator, number] = found;
  return { text: text.trim(), measure: measure!, number: Number(number), operator: operator as Bound['operator'] };
}

import { CONDITIONS, type Condition } from '../../domain/level.ts';
import type { Rule, RuleException } from '../../domain/rule.ts';
import { compileExpression } from '../expression/compile.ts';
import { implies } from '../expression/implication.ts';
import { ANY, NOT_NEGATIVE, neverHolds, type Range, type Ranges } from '../expression/ranges.ts';
import type { BooleanTerm } from '../expression/term.ts';
import { matchDoubts, matchesNothing, valuesThatPass } from '../match/doubts.ts';
import type { RuleProblem } from '../problem.ts';
import { parseMeasure } from './measure.ts';
import { declareNames, type RuleNames } from './names.ts';

interface Stated {
  condition: Condition;
  text: string;
  term: BooleanTerm;
}

/**
 * What is allowed and still looks like a mistake: a match that nothing passes, conditions that never hold, thresholds
 * in the wrong order, costly regular expressions. Only what is proven: an honest rule is never accused.
 */
export function doubtsOf(rule: Rule): RuleProblem[] {
  const inMatch = matchDoubts(rule.match);
  if (matchesNothing(rule.match)) return inMatch;
  const names = declareNames(Object.keys(rule.measure), rule.baselineDefaults);
  const ranges = rangesOf(rule, names);
  const given = CONDITIONS.filter((condition) => rule.when[condition] !== undefined);
  const stated = given.flatMap((condition): Stated[] => {
    const source = rule.when[condition]!;
    const term = termOf(source, names);
    return term === undefined ? [] : [{ condition, text: String(source).trim(), term }];
  });
  const never = stated.filter(({ term }) => neverHolds(term, ranges));
  if (never.length > 0 && never.length === given.length) {
    return [...inMatch, { path: ['when'], place: 'key', message: 'no condition ever holds: this rule can never fire' }];
  }
  return [
    ...inMatch,
    ...never.map(({ condition }) => ({ path: ['when', condition], message: `${condition} never holds` })),
    ...upsideDown(
      stated.filter((one) => !never.includes(one)),
      ranges,
    ),
    ...(rule.exceptions ?? []).flatMap((exception, index) =>
      exceptionDoubts(exception, stated, (source) => termOf(source, names), ranges).map((problem) => ({
        ...problem,
        path: ['exceptions', index, ...problem.path],
      })),
    ),
  ];
}

/** An exception whose bound is reached wherever that of the rule is lifts nothing. */
function exceptionDoubts(
  { match, when = {} }: RuleException,
  stated: readonly Stated[],
  termOf: (source: string | boolean) => BooleanTerm | undefined,
  ranges: Ranges,
): RuleProblem[] {
  const bounds = (['pause', 'kill'] as const).flatMap((condition): RuleProblem[] => {
    const source = when[condition];
    const own = stated.find((one) => one.condition === condition);
    const raised = source === undefined ? undefined : termOf(source);
    if (own === undefined || raised === undefined || !implies(own.term, raised, ranges)) return [];
    const message = `${condition} lifts nothing: it holds wherever that of the rule does (${own.text})`;
    return [{ path: ['when', condition], message }];
  });
  return [...matchDoubts(match), ...bounds];
}

/** Undefined for what `checkRule` refuses. */
function termOf(source: string | boolean, names: RuleNames): BooleanTerm | undefined {
  if (typeof source !== 'string') return { kind: 'constant', type: 'boolean', value: source };
  const compiled = compileExpression(source, names);
  return compiled.ok && compiled.term.type === 'boolean' ? compiled.term : undefined;
}

/** A higher level that is reached wherever a lower one is makes the lower one mean nothing. */
function upsideDown(stated: readonly Stated[], ranges: Ranges): RuleProblem[] {
  return stated.flatMap((upper, index) => {
    const lower = stated.slice(0, index).findLast(({ term }) => implies(term, upper.term, ranges));
    if (lower === undefined) return [];
    const message = `${upper.condition} needs no more than ${lower.condition} (${lower.text}), so that level would be skipped`;
    return [{ path: ['when', upper.condition], message }];
  });
}

/** What the names of a rule can be at most. A baseline is learned from its measure, so it lies where that lies. */
function rangesOf(rule: Rule, names: RuleNames): Ranges {
  const ranges = new Map<number, Range>();
  for (const [slot, name] of names.measures.entries()) ranges.set(slot, measureRange(rule, name));
  for (const [index, { name, value }] of names.baseline.entries()) {
    const slot = ranges.get(names.measures.indexOf(name.split('.')[0]!));
    ranges.set(names.measures.length + index, slot !== undefined && slot.lo >= 0 && value >= 0 ? NOT_NEGATIVE : ANY);
  }
  const session = (name: string, range: Range) => ranges.set(names.lookup(name)!.slot, range);
  session('session.age', NOT_NEGATIVE);
  session('session.actions', NOT_NEGATIVE);
  session('session.level', { lo: 0, hi: 3 });
  return ranges;
}

function measureRange(rule: Rule, name: string): Range {
  const parsed = parseMeasure(rule.measure[name]!);
  if ('problem' in parsed) return ANY;
  const { feature, field } = parsed.source;
  if (feature === 'distinct') return { lo: 0, hi: valuesThatPass(rule.match, field!) };
  return feature === 'count' || feature === 'attempts' || feature === 'sum' ? NOT_NEGATIVE : ANY;
}

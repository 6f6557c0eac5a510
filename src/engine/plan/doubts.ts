import { CONDITIONS, type Condition } from '../../domain/level.ts';
import type { Match } from '../../domain/match.ts';
import type { Measure, Rule, RuleException } from '../../domain/rule.ts';
import { compileExpression } from '../expression/compile.ts';
import { implies } from '../expression/implication.ts';
import { ANY, NOT_NEGATIVE, neverHolds, type Range, type Ranges } from '../expression/ranges.ts';
import type { BooleanTerm } from '../expression/term.ts';
import { matchDoubts, neverTogether, valuesThatPass } from '../match/doubts.ts';
import type { RuleProblem } from '../problem.ts';
import { stepDoubts } from '../sequence/doubts.ts';
import { COVERS_NOTHING } from './exceptions.ts';
import { type NumberSource, parseMeasure } from './measure.ts';
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
  const ofRule = matchDoubts(rule.match, ['match'], 'this rule can never fire');
  if (neverTogether([rule.match])) return ofRule;
  const inMatch = [...ofRule, ...ownMatchDoubts(rule), ...weightDoubts(rule), ...stepDoubts(rule)];
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

/** A measure's own match holds beside that of the rule. One that cannot leaves the measure at 0. */
function ownMatchDoubts(rule: Rule): RuleProblem[] {
  return Object.entries(rule.measure).flatMap(([name, measure]) => {
    const own = ownMatchOf(measure);
    if (own === undefined) return [];
    const path = ['measure', name, 'match'];
    const doubts = matchDoubts(own, path, `"${name}" counts nothing`);
    if (neverTogether([own]) || !neverTogether([rule.match, own])) return doubts;
    const message = `no action passes this match and that of the rule: "${name}" counts nothing`;
    return [...doubts, { path, place: 'key', message }];
  });
}

function weightDoubts({ weight, measure }: Rule): RuleProblem[] {
  if (weight === undefined || Object.values(measure).some(addsWeightUp)) return [];
  return [{ path: ['weight'], place: 'key', message: 'no measure adds the weight up; write points, or points(30m)' }];
}

function addsWeightUp(measure: Measure): boolean {
  if (typeof measure !== 'string' && !('of' in measure)) return false;
  const parsed = parseMeasure(typeof measure === 'string' ? measure : measure.of);
  return 'problem' in parsed || parsed.source.feature === 'points' || parsed.source.feature === 'fading';
}

function ownMatchOf(measure: Measure): Match | undefined {
  return typeof measure === 'string' || !('of' in measure) ? undefined : measure.match;
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
  return [...matchDoubts(match, ['match'], COVERS_NOTHING), ...bounds];
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
  const measure = rule.measure[name]!;
  if (typeof measure !== 'string' && !('of' in measure)) return NOT_NEGATIVE;
  const parsed = parseMeasure(typeof measure === 'string' ? measure : measure.of);
  if ('problem' in parsed) return ANY;
  const own = ownMatchOf(measure);
  const matches = own === undefined ? [rule.match] : [rule.match, own];
  return neverTogether(matches) ? NOTHING : RANGES[parsed.source.feature](parsed.source, matches);
}

/** What a measure is that counts nothing. */
const NOTHING: Range = { lo: 0, hi: 0 };

const RANGES: Record<NumberSource['feature'], (source: NumberSource, matches: Match[]) => Range> = {
  count: () => NOT_NEGATIVE,
  attempts: () => NOT_NEGATIVE,
  part: () => ({ lo: 0, hi: 1 }),
  all: () => NOT_NEGATIVE,
  sum: () => NOT_NEGATIVE,
  avg: () => NOT_NEGATIVE,
  min: () => ANY,
  max: () => ANY,
  percentile: () => ANY,
  firstSeen: () => NOT_NEGATIVE,
  points: () => NOT_NEGATIVE,
  fading: () => NOT_NEGATIVE,
  distinct: ({ field }, matches) => ({ lo: 0, hi: valuesThatPass(matches, field!) }),
};

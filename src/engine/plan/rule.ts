import { endOfDay } from '../../domain/calendar-date.ts';
import type { Rule } from '../../domain/rule.ts';
import { hint } from '../expression/names.ts';
import type { Value, Values } from '../expression/term.ts';
import { compileMatch, type Matcher } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { compileConditions, type StatedCondition } from './conditions.ts';
import { checkExceptions, type ExceptionPlan } from './exceptions.ts';
import { declareNames, type RuleNames, SESSION_ORDER, type SessionName } from './names.ts';
import { type CheckedMeasure, checkMeasure, windowOf } from './rule-measure.ts';
import { compileSentence } from './sentence.ts';
import { compileWeight } from './weight.ts';

/** A rule with everything that text can get wrong settled; `compilePolicy` gives its measures their features. */
export interface CheckedRule {
  rule: Rule;
  matcher: Matcher;
  /** Partition clock, ms, from which on the rule says nothing any more: a shadow rule that expires. Else Infinity. */
  endsMs: number;
  measures: CheckedMeasure[];
  names: RuleNames;
  /** The values array before anything is measured: zeros and the baseline. */
  blank: readonly Value[];
  /** The session's names that the rule may read. The others stay zero and cost nothing. */
  sessionReads: readonly { slot: number; name: SessionName }[];
  /** Rising: watch, pause, kill, those that the rule has. */
  conditions: readonly StatedCondition[];
  exceptions: readonly ExceptionPlan[];
  explain(values: Values): string;
}

/** Checks one rule that passed its schema. Every mistake at once; a rule is usable only without any. */
export function checkRule(rule: Rule): { ok: true; checked: CheckedRule } | { ok: false; problems: RuleProblem[] } {
  const problems: RuleProblem[] = [];
  const matcher = compileMatch(rule.match, problems);
  if (rule.by !== 'session') {
    const message = `the scope "${rule.by}" needs a log of its own; allowed: session. By agent judges a second Firebreak, where a session is all that an agent does: see crowds in rules/README.md`;
    problems.push({ path: ['by'], message });
  }
  if (rule.shadowUntil !== undefined && rule.mode !== 'shadow') {
    const message = 'only a rule with mode: shadow expires; what is enforced holds until somebody removes it';
    problems.push({ path: ['shadowUntil'], place: 'key', message });
  }
  const endsMs = rule.shadowUntil === undefined ? Number.POSITIVE_INFINITY : endOfDay(rule.shadowUntil);
  const withinMs = windowOf(rule.within, ['within'], problems);
  const weight = rule.weight === undefined ? undefined : compileWeight(rule.weight, problems);
  const measures = Object.entries(rule.measure).flatMap(([name, measure]) =>
    checkMeasure(name, measure, withinMs, weight, problems),
  );
  const names = declareNames(Object.keys(rule.measure), rule.baselineDefaults);
  const conditions = compileConditions(rule.when, rule, names, problems);
  for (const name of Object.keys(rule.baselineDefaults)) {
    const measure = name.split('.')[0]!;
    if (!Object.hasOwn(rule.measure, measure)) {
      const message = `"${name}" names no measure of this rule${hint(measure, Object.keys(rule.measure))}`;
      problems.push({ path: ['baselineDefaults', name], place: 'key', message });
    }
  }
  const exceptions = checkExceptions(rule, names, problems);
  const explain = compileSentence(rule.explain ?? defaultSentence(rule), names, problems);
  if (problems.length > 0) return { ok: false, problems };
  const blank = [...measures.map(() => 0), ...names.baseline.map(({ value }) => value), ...SESSION_ORDER.map(() => 0)];
  const sessionReads = sessionReadsOf(rule, names);
  const values = { names, blank, sessionReads };
  return { ok: true, checked: { rule, matcher, endsMs, measures, ...values, conditions, exceptions, explain } };
}

function sessionReadsOf(rule: Rule, names: RuleNames): CheckedRule['sessionReads'] {
  const raised = (rule.exceptions ?? []).flatMap(({ when = {} }) => Object.values(when));
  const texts = [...Object.values(rule.when), ...raised, rule.explain].join(' ');
  return SESSION_ORDER.flatMap((name, i) => (texts.includes(name) ? [{ slot: names.sessionSlot + i, name }] : []));
}

function defaultSentence(rule: Rule): string {
  const measures = Object.entries(rule.measure).map(([name, measure]) => {
    const within = typeof measure === 'string' || !('of' in measure) ? undefined : measure.within;
    return within === undefined ? `{${name}} ${name}` : `{${name}} ${name} (${windowText(within)})`;
  });
  return `${rule.title}: ${measures.join(', ')} ${windowText(rule.within)}`;
}

function windowText(within: string): string {
  return within === 'session' ? 'in this session' : `within ${within}`;
}

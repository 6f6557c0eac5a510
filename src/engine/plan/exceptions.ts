import { endOfDay } from '../../domain/calendar-date.ts';
import type { Match } from '../../domain/match.ts';
import type { Rule, RuleException } from '../../domain/rule.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { compileConditions, type StatedCondition } from './conditions.ts';
import type { RuleNames } from './names.ts';

/** An exception with everything that text can get wrong settled. */
export interface ExceptionPlan {
  exception: RuleException;
  covers: EventTest;
  /** Partition clock, ms, from which on it lifts nothing. */
  endsMs: number;
  /** The bounds that hold instead of those of the rule; undefined where `atMost` says what the rule may do. */
  raised: readonly StatedCondition[] | undefined;
}

/** Checks the exceptions of a rule. Problems have paths from the rule. */
export function checkExceptions(rule: Rule, names: RuleNames, problems: RuleProblem[]): ExceptionPlan[] {
  return (rule.exceptions ?? []).map((exception, index) => {
    const found: RuleProblem[] = [];
    const plan = checkException(exception, rule, names, found);
    for (const one of found) problems.push({ ...one, path: ['exceptions', index, ...one.path] });
    return plan;
  });
}

function checkException(
  exception: RuleException,
  rule: Rule,
  names: RuleNames,
  problems: RuleProblem[],
): ExceptionPlan {
  const { match, atMost, when, expires } = exception;
  const covers = compileCover(match, problems);
  const raised = when === undefined ? undefined : compileConditions(when, rule, names, problems);
  if ((atMost === undefined) === (when === undefined)) {
    const message = 'an exception has either atMost (watch or pause) or when with higher bounds for pause and kill';
    problems.push(atMost === undefined ? { path: [], message } : { path: ['when'], place: 'key', message });
  }
  return { exception, covers, endsMs: endOfDay(expires), raised };
}

/** What follows where no action can pass an exception's match. */
export const COVERS_NOTHING = 'this exception covers nothing';

/** What an exception covers. Paths begin at `match`. */
export function compileCover(match: Match, problems: RuleProblem[]): EventTest {
  for (const map of Array.isArray(match) ? match : [match]) {
    if (Object.keys(map).length > 0) continue;
    const message = 'an exception does not cover everything: name the agent, principal, resource or purpose';
    problems.push({ path: ['match'], message });
  }
  return compileMatch(match, problems).test;
}

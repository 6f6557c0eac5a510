import type { Match } from '../../domain/match.ts';
import type { Rule } from '../../domain/rule.ts';
import { matchDoubts, neverTogether } from '../match/doubts.ts';
import type { RuleProblem } from '../problem.ts';
import { stepsOf } from './compile.ts';

/** Steps of the sequences of a rule that no action can take, as far as that is proven. */
export function stepDoubts(rule: Rule): RuleProblem[] {
  return Object.entries(rule.measure).flatMap(([name, measure]) => {
    if (typeof measure === 'string' || 'of' in measure) return [];
    const order = 'sequence' in measure ? 'sequence' : 'temporal';
    const until = measure.until === undefined ? [] : [{ match: measure.until, path: ['measure', name, 'until'] }];
    const steps = stepsOf(measure).flatMap(({ match, missing }, at) => {
      const path = ['measure', name, order, at];
      return [
        ...(match === undefined ? [] : [{ match, path: [...path, 'match'] }]),
        ...(missing === undefined ? [] : [{ match: missing, path: [...path, 'missing'] }]),
      ];
    });
    return [...steps, ...until].flatMap(({ match, path }) => doubtsOf(match, path, rule.match));
  });
}

function doubtsOf(match: Match, path: RuleProblem['path'], ruleMatch: Match): RuleProblem[] {
  const own = matchDoubts(match, path, 'no action is ever this step');
  if (neverTogether([match]) || !neverTogether([match, ruleMatch])) return own;
  const message = 'no action passes this match and that of the rule: no action is ever this step';
  return [...own, { path, place: 'key', message }];
}

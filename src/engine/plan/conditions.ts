import { CONDITIONS, type Condition } from '../../domain/level.ts';
import type { Rule } from '../../domain/rule.ts';
import type { Comparison } from '../expression/comparisons.ts';
import { compileExpression } from '../expression/compile.ts';
import type { Values } from '../expression/term.ts';
import type { RuleProblem } from '../problem.ts';
import type { RuleNames } from './names.ts';

/** A condition as it is evaluated over the values of its rule. */
export interface StatedCondition {
  condition: Condition;
  holds(values: Values): boolean;
  comparisons: Comparison[];
}

/** The conditions of a `when`, rising: watch, pause, kill, those that it has. Problems have paths that begin at `when`. */
export function compileConditions(
  when: Rule['when'],
  rule: Rule,
  names: RuleNames,
  problems: RuleProblem[],
): StatedCondition[] {
  return CONDITIONS.flatMap((condition) => {
    const source = when[condition];
    if (source === undefined || source === false) return [];
    if (source === true) return [{ condition, holds: () => true, comparisons: [] }];
    const compiled = compileExpression(source, names);
    const path = ['when', condition];
    if (!compiled.ok) {
      for (const { message, at } of compiled.problems)
        problems.push({ path, at, message: aboutBaseline(message, rule) });
      return [];
    }
    if (compiled.type !== 'boolean') {
      const message = `the condition is a ${compiled.type}; it must be true or false, such as deletes > 20`;
      problems.push({ path, at: 0, message });
      return [];
    }
    const holds = compiled.evaluate as (values: Values) => boolean;
    return [{ condition, holds, comparisons: compiled.comparisons }];
  });
}

function aboutBaseline(message: string, rule: Rule): string {
  const found = /^unknown name "(baseline\.([^"]+))"/.exec(message);
  if (!found) return message;
  const declared = Object.keys(rule.baselineDefaults);
  const known = declared.length === 0 ? 'it declares none' : `it declares ${declared.join(', ')}`;
  return `"${found[1]}" has no value for agents without a baseline; add it to baselineDefaults (${known})`;
}

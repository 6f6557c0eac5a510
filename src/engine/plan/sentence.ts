import { hint } from '../expression/names.ts';
import type { Values } from '../expression/term.ts';
import type { RuleProblem } from '../problem.ts';
import type { RuleNames } from './names.ts';

/** Compiles `{deletes} deletions …`: every name in braces is a measure, `baseline.*` or `session.*` of the rule. */
export function compileSentence(text: string, names: RuleNames, problems: RuleProblem[]): (values: Values) => string {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const found of text.matchAll(/\{([^{}]*)\}/g)) {
    const name = found[1]!.trim();
    const known = names.lookup(name);
    if (!known) {
      problems.push({
        path: ['explain'],
        at: found.index,
        message: `unknown name "${name}"${hint(name, names.all())}`,
      });
      continue;
    }
    parts.push(text.slice(from, found.index), known.slot);
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return (values) => parts.map((part) => (typeof part === 'number' ? shown(values[part]) : part)).join('');
}

function shown(value: Values[number] | undefined): string {
  return typeof value === 'number' ? String(Number(value.toFixed(value >= 100 ? 0 : 2))) : String(value);
}

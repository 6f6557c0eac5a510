import type { ActionEvent } from '../../domain/event.ts';
import { FIELD_NAMES, fieldOf } from '../../domain/fields.ts';
import type { Match, MatchMap } from '../../domain/match.ts';
import { hint } from '../expression/names.ts';
import type { RuleProblem } from '../problem.ts';
import { compileValue } from './value-test.ts';

export type EventTest = (event: ActionEvent) => boolean;

/** Which `action` values can pass at all; undefined means any. It spares an event the matchers it cannot meet. */
export interface Matcher {
  test: EventTest;
  actions: ReadonlySet<string> | undefined;
}

/**
 * A map holds when all its items hold, a list of maps when any map does. Never throws at run time; every mistake is
 * found here and reported with its path inside the rule, where the match stands at `at`.
 */
export function compileMatch(match: Match, problems: RuleProblem[], at: RuleProblem['path'] = ['match']): Matcher {
  const maps = Array.isArray(match) ? match : [match];
  const compiled = maps.map((map, index) => compileMap(map, Array.isArray(match) ? [...at, index] : at, problems));
  const tests = compiled.map(({ test }) => test);
  const actions = compiled.every((one) => one.actions !== undefined)
    ? new Set(compiled.flatMap((one) => [...one.actions!]))
    : undefined;
  return { test: tests.length === 1 ? tests[0]! : (event) => tests.some((test) => test(event)), actions };
}

function compileMap(map: MatchMap, path: (string | number)[], problems: RuleProblem[]): Matcher {
  const tests: EventTest[] = [];
  let actions: Set<string> | undefined;
  for (const [key, value] of Object.entries(map)) {
    const [name = '', ...modifiers] = key.split('|');
    const field = fieldOf(name);
    if (!field) {
      const message = `unknown field "${name}"${hint(name, FIELD_NAMES)}; the fields are listed in rules/README.md`;
      problems.push({ path: [...path, key], place: 'key', message });
      continue;
    }
    const test = compileValue(field.type, modifiers, value, { path: [...path, key], problems });
    if (!test) continue;
    tests.push((event) => test(field.read(event)));
    if (name === 'action' && modifiers.length === 0) actions = literalActions(value) ?? actions;
  }
  if (tests.length === 1) return { test: tests[0]!, actions };
  return {
    test: (event) => {
      for (const test of tests) if (!test(event)) return false;
      return true;
    },
    actions,
  };
}

function literalActions(value: MatchMap[string]): Set<string> | undefined {
  const values = Array.isArray(value) ? value : [value];
  const literal = values.every((one) => typeof one === 'string' && !/[*?\\]/.test(one));
  return literal ? new Set(values.map((one) => String(one).toLowerCase())) : undefined;
}

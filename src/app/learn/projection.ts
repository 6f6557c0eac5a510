import type { ActionEvent } from '../../domain/event.ts';
import { fieldOf } from '../../domain/fields.ts';
import type { Intent } from '../../domain/intent.ts';
import type { Rule } from '../../domain/rule.ts';

/** What the engine itself reads of any action that it marks. */
const ALWAYS = ['action', 'tool'];
/** And of one that it measures for a rule: by these it knows a repeated event and a retry. */
const MEASURED = ['source', 'outcome', 'argsDigest'];

/** Of a list of targets the resource is the only one where the list is absent. */
const PLACES: Record<string, readonly string[][]> = { target: [['targets'], ['resource', 'id']] };

/**
 * An action with nothing but the fields that intents and rules name. What is kept of a log while it is learned from holds
 * no more than this: no arguments, no text that nothing looks at.
 */
export class Projection {
  readonly #paths: readonly string[][];

  /** A word of theirs that only looks like a field errs to one field more. */
  constructor(intents: readonly Intent[], rules: readonly Rule[]) {
    const own = rules.length === 0 ? [] : [...MEASURED, 'id', 'seq'];
    const marks = intents.map(({ match, after, afterNovel, mark, weight }) => [match, after, afterNovel, mark, weight]);
    const measures = rules.map(({ match, within, measure, weight }) => [match, within, measure, weight]);
    const named = [...ALWAYS, ...own, ...fieldsNamedIn([marks, measures])];
    this.#paths = [...new Set(named)].flatMap((name) => PLACES[name] ?? [pathOf(name)]);
  }

  of(event: ActionEvent): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    for (const [outer, inner] of this.#paths as [string, string | undefined][]) {
      const value = event[outer];
      if (inner === undefined) {
        if (value !== undefined) kept[outer] = value;
        continue;
      }
      const part = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[inner] : undefined;
      if (part === undefined) continue;
      kept[outer] = { ...(kept[outer] as Record<string, unknown> | undefined), [inner]: part };
    }
    return kept;
  }
}

/** `attributes.NAME` is one step whatever NAME is; of the others each dot is one. */
function pathOf(name: string): string[] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function fieldsNamedIn(part: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') for (const word of wordsOf(value)) if (fieldOf(word)) found.add(word);
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      visit(key);
      visit(inner);
    }
  };
  visit(part);
  return found;
}

/** `resource.id|contains`, `distinct(target)`, `sum(bytes)`: the whole, what is before a bar, what is in parentheses. */
function wordsOf(text: string): string[] {
  const inside = [...text.matchAll(/\(([^()]*)\)/g)].flatMap(([, list]) => list!.split(','));
  return [text, text.split('|')[0]!, ...inside, ...(text.match(/[\w.-]+/g) ?? [])].map((word) => word.trim());
}

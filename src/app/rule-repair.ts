import { Rule } from '../domain/rule.ts';
import type { SchemaProblem } from '../formats/schema-problems.ts';

/** Stands in for a field that only names or sorts the rule, so that what it means can still be checked. */
const PLACEHOLDERS: Record<string, unknown> = { id: 'unnamed', title: 'untitled', severity: 'low', within: 'session' };

/** The same for the fields of an exception. */
const EXCEPTION_PLACEHOLDERS: Record<string, unknown> = {
  name: 'unnamed',
  reason: 'unknown',
  owner: 'unknown',
  expires: '2999-12-31',
  atMost: 'watch',
};

/**
 * The rule without what the schema refused, to find the mistakes in the rest of it. Undefined where so much is missing
 * that every further message would be about the gap. Such a rule is checked, never used.
 */
export function ruleWithout(value: unknown, problems: readonly SchemaProblem[]): Rule | undefined {
  const copy = structuredClone(value) as Record<string, unknown>;
  for (const problem of problems) mend(copy, problem);
  const { when } = copy as { when?: Record<string, unknown> };
  if (when && Object.keys(when).length === 0) when.watch = true;
  return Rule.safeParse(copy).data;
}

function mend(rule: Record<string, unknown>, { path, place }: SchemaProblem): void {
  const [field, name] = path.map(String);
  if (field === undefined) return;
  if (place !== 'key' && path.length === 1 && Object.hasOwn(PLACEHOLDERS, field)) rule[field] = PLACEHOLDERS[field];
  else if (field === 'tags' || field === 'tests' || field === 'falsePositives') delete rule[field];
  // A measure keeps its name, else each use of it would look like a mistake of its own.
  else if (field === 'measure' && place !== 'key' && (path.length === 2 || path[2] === 'of')) put(rule, path, 'count');
  else if (field === 'baselineDefaults' && place !== 'key' && name !== undefined) put(rule, path, 0);
  else if (field === 'exceptions') mendException(rule, path, place);
  else drop(rule, path);
}

function mendException(
  rule: Record<string, unknown>,
  path: readonly PropertyKey[],
  place: SchemaProblem['place'],
): void {
  const name = String(path[2]);
  if (path.length > 2 && place === 'key') drop(rule, path);
  else if (path.length === 3 && Object.hasOwn(EXCEPTION_PLACEHOLDERS, name))
    put(rule, path, EXCEPTION_PLACEHOLDERS[name]);
  else delete rule['exceptions'];
}

function put(root: object, path: readonly PropertyKey[], value: unknown): void {
  const owner = ownerOf(root, path);
  if (owner) Reflect.set(owner, path.at(-1)!, value);
}

function drop(root: object, path: readonly PropertyKey[]): void {
  const owner = ownerOf(root, path);
  if (Array.isArray(owner)) put(root, path, {});
  else if (owner) Reflect.deleteProperty(owner, path.at(-1)!);
}

function ownerOf(root: object, path: readonly PropertyKey[]): object | undefined {
  let owner: unknown = root;
  for (const key of path.slice(0, -1)) {
    if (typeof owner !== 'object' || owner === null) return undefined;
    owner = Reflect.get(owner, key);
  }
  return typeof owner === 'object' && owner !== null ? owner : undefined;
}

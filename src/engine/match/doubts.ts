import { ACTIONS, OUTCOMES } from '../../domain/event.ts';
import { type FieldType, type FieldValue, fieldOf } from '../../domain/fields.ts';
import type { Match, MatchMap } from '../../domain/match.ts';
import type { RuleProblem } from '../problem.ts';
import { compileRegex } from './regex.ts';
import { compileValue, type ValueTest } from './value-test.ts';

/** A regular expression takes steps in the order of its instructions times the characters that it reads. */
const INSTRUCTIONS_MAX = 500;

/** Parts of a match that are allowed and cannot be meant: a map that no event meets, an expression that is costly. */
export function matchDoubts(match: Match, at: RuleProblem['path'], ifNothing: string): RuleProblem[] {
  const maps = mapsOf(match);
  const consequence = neverTogether([match]) ? ifNothing : 'nothing ever passes this map';
  return maps.flatMap((map, index) => {
    const path = Array.isArray(match) ? [...at, index] : at;
    return [...contradictions(map, path, consequence), ...costly(map, path)];
  });
}

/** Whether no event at all passes all of the matches, as far as that is proven. */
export function neverTogether(matches: readonly Match[]): boolean {
  return waysToPass(matches).every((items) => [...items].some(([name, all]) => excludeEachOther(name, all)));
}

/** How many values a field can have among the events that pass all of the matches; Infinity where that is open. */
export function valuesThatPass(matches: readonly Match[], field: string): number {
  const closed = CLOSED[field];
  if (closed === undefined) return Number.POSITIVE_INFINITY;
  const tests = waysToPass(matches).map((items) => items.get(field) ?? []);
  return closed.filter((value) => tests.some((items) => items.every(({ test }) => test(value)))).length;
}

/** One for each choice of a map from every match: the items of all of them must hold at once, by field. */
function waysToPass(matches: readonly Match[]): Map<string, Item[]>[] {
  let ways = [new Map<string, Item[]>()];
  for (const match of matches) {
    const maps = mapsOf(match).map(itemsOf);
    ways = ways.flatMap((way) => maps.map((map) => joined(way, map)));
  }
  return ways;
}

function joined(a: ReadonlyMap<string, Item[]>, b: ReadonlyMap<string, Item[]>): Map<string, Item[]> {
  const all = new Map(a);
  for (const [name, items] of b) all.set(name, [...(a.get(name) ?? []), ...items]);
  return all;
}

function mapsOf(match: Match): MatchMap[] {
  return Array.isArray(match) ? match : [match];
}

interface Item {
  key: string;
  modifiers: string[];
  value: MatchMap[string];
  test: ValueTest;
}

function itemsOf(map: MatchMap): Map<string, Item[]> {
  const fields = new Map<string, Item[]>();
  for (const [key, value] of Object.entries(map)) {
    const [name = '', ...modifiers] = key.split('|');
    const test = compileValue(fieldOf(name)?.type ?? 'any', modifiers, value, { path: [key], problems: [] });
    if (test) fields.set(name, [...(fields.get(name) ?? []), { key, modifiers, value, test }]);
  }
  return fields;
}

function contradictions(map: MatchMap, path: (string | number)[], consequence: string): RuleProblem[] {
  return [...itemsOf(map)].flatMap(([name, items]) => {
    if (!excludeEachOther(name, items)) return [];
    const keys = items.map(({ key }) => key);
    const reason = keys.length === 1 ? 'no event has such a value' : `${keys.join(' and ')} exclude each other`;
    return [{ path: [...path, keys.at(-1)!], place: 'key' as const, message: `${reason}: ${consequence}` }];
  });
}

function excludeEachOther(name: string, items: readonly Item[]): boolean {
  const type = fieldOf(name)?.type;
  return type !== undefined && type !== 'list' && isImpossible(name, type, items);
}

/** Fields that every event has, with every value they can have. */
const CLOSED: Record<string, readonly FieldValue[]> = {
  action: ACTIONS,
  outcome: OUTCOMES,
  'approval.required': [true, false, undefined],
};

function isImpossible(name: string, type: FieldType | 'any', items: readonly Item[]): boolean {
  const closed = CLOSED[name];
  const passes = (value: FieldValue) => items.every(({ test }) => test(value));
  if (closed !== undefined) return !closed.some(passes);
  const literal = items.find((item) => isLiteral(item, type));
  if (literal !== undefined && items.every(isFolded)) return ![literal.value].flat().some(passes);
  // Only what an absent field meets: with anything that needs a value nothing is left.
  if (items.some(isAbsence)) return !passes(undefined) && !passes(null);
  return type !== 'text' && isEmpty(name, items);
}

/** Whether the field must be one of these texts or numbers, in any case. */
function isLiteral({ modifiers, value }: Item, type: FieldType | 'any'): boolean {
  if (modifiers.length > 0) return false;
  const values = [value].flat();
  if (type === 'number') return values.every((one) => typeof one === 'number');
  return type === 'text' && values.every((one) => typeof one === 'string' && !/[*?\\]/.test(one));
}

/** Tests that tell two texts apart only if they differ in more than case. */
function isFolded({ modifiers }: Item): boolean {
  return !modifiers.includes('cased') && !modifiers.includes('re') && !modifiers.includes('cidr');
}

function isAbsence({ modifiers, value }: Item): boolean {
  if (modifiers.includes('neq')) return false;
  return modifiers.includes('exists') ? value === false : modifiers.length === 0 && value === null;
}

/** Bounds that leave no number between them. */
function isEmpty(name: string, items: readonly Item[]): boolean {
  let lower = { at: name === 'affected' ? 1 : Number.NEGATIVE_INFINITY, open: false };
  let upper = { at: Number.POSITIVE_INFINITY, open: false };
  for (const { modifiers, value } of items) {
    const [how] = modifiers;
    if (modifiers.length !== 1 || typeof value !== 'number') continue;
    const open = how === 'gt' || how === 'lt';
    if ((how === 'gt' || how === 'gte') && (value > lower.at || (open && value === lower.at)))
      lower = { at: value, open };
    if ((how === 'lt' || how === 'lte') && (value < upper.at || (open && value === upper.at)))
      upper = { at: value, open };
  }
  return lower.at > upper.at || (lower.at === upper.at && (lower.open || upper.open));
}

function costly(map: MatchMap, path: (string | number)[]): RuleProblem[] {
  return Object.entries(map).flatMap(([key, value]): RuleProblem[] => {
    if (!key.split('|').includes('re')) return [];
    const instructions = [value].flat().reduce((sum: number, one) => sum + instructionsOf(one), 0);
    if (instructions <= INSTRUCTIONS_MAX) return [];
    const message = `an expensive regular expression: ${instructions} instructions for each character; up to ${INSTRUCTIONS_MAX} are cheap. Bounded repetitions such as {1,200} are copied`;
    return [{ path: [...path, key], message }];
  });
}

function instructionsOf(source: unknown): number {
  const compiled = compileRegex(String(source));
  return 'regex' in compiled ? compiled.regex.programSize() : 0; // compileMatch reports what is refused
}

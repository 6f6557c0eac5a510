import type { Place } from '../formats/yaml-documents.ts';

/** One item of a match map, and where its author wrote it. */
interface Item {
  key: string;
  value: unknown;
  source: PropertyKey[];
  /** Name of the macro that brought it. */
  macro?: string;
}

/** Each a map whose items must all hold; any of the maps may hold. */
export type Alternatives = readonly (readonly Pick<Item, 'key' | 'value'>[])[];

/** What a match may name. Undefined after a report, or without one where the named thing is itself wrong. */
export interface MatchNames {
  list(name: string, at: Place): readonly unknown[] | undefined;
  macro(name: string, at: Place): Alternatives | undefined;
}

export interface ResolvedMatch {
  /** The match without names. What could not be resolved is left out. */
  value: unknown;
  alternatives: Alternatives;
  /** False where something was left out. */
  complete: boolean;
  /** Where the author wrote what stands at a path of the resolved document. */
  sourceOf(path: readonly PropertyKey[]): readonly PropertyKey[];
}

/** A match is at most so many maps once its macros are written out: alternatives of several macros multiply. */
const MAPS_MAX = 64;

/**
 * Writes lists and macros out. What is no match at all stays as it is, for the schema to refuse. `base` is where in the
 * document the match stands.
 */
export function resolveMatch(
  match: unknown,
  names: MatchNames,
  report: (place: Place, message: string) => void,
  base: readonly PropertyKey[] = ['match'],
): ResolvedMatch {
  const unchanged = {
    value: match,
    alternatives: [],
    complete: true,
    sourceOf: (path: readonly PropertyKey[]) => path,
  };
  const maps = Array.isArray(match) ? match : [match];
  if (!maps.every(isMap)) return unchanged;
  let complete = true;
  const resolved: Item[][] = [];
  for (const [index, map] of maps.entries()) {
    const path = Array.isArray(match) ? [...base, index] : base;
    const one = expandMap(map, path, names, report);
    complete &&= one.complete;
    resolved.push(...one.maps);
  }
  if (resolved.length > Math.max(MAPS_MAX, maps.length)) {
    report({ path: base }, `with its macros written out the match has more than ${MAPS_MAX} maps`);
    return { ...unchanged, value: {}, complete: false };
  }
  const values = resolved.map((items) => Object.fromEntries(items.map(({ key, value }) => [key, value])));
  const listed = Array.isArray(match) || values.length > 1;
  return {
    value: listed ? values : values[0],
    alternatives: resolved,
    complete,
    sourceOf: (path) => {
      const rest = path.slice(base.length);
      const [index, key, ...inner] = listed ? rest : [0, ...rest];
      if (!base.every((part, at) => part === path[at]) || index === undefined) return path;
      const items = resolved[Number(index)] ?? [];
      const item = items.find((one) => one.key === key);
      return item ? [...item.source, ...inner] : (items[0]?.source.slice(0, -1) ?? base);
    },
  };
}

function expandMap(
  map: Record<string, unknown>,
  path: readonly PropertyKey[],
  names: MatchNames,
  report: (place: Place, message: string) => void,
): { maps: Item[][]; complete: boolean } {
  let maps: Item[][] = [[]];
  let complete = true;
  // Own items first, so that a clash is told at the macro that brings it.
  for (const [key, value] of Object.entries(map)) {
    if (key === 'macro') continue;
    const source = [...path, key];
    const name = listName(value);
    const values = name === undefined ? value : names.list(name, { path: [...source, 'list'] });
    if (values === undefined && name !== undefined) complete = false;
    else maps[0]!.push({ key, value: values, source });
  }
  const wanted = map['macro'] === undefined ? [] : Array.isArray(map['macro']) ? map['macro'] : [map['macro']];
  for (const [index, name] of wanted.entries()) {
    const source = Array.isArray(map['macro']) ? [...path, 'macro', index] : [...path, 'macro'];
    if (typeof name !== 'string') {
      report({ path: source }, 'macro: allowed: the name of a macro, or a list of names');
      complete = false;
      continue;
    }
    const alternatives = names.macro(name, { path: source });
    const clash = alternatives?.flat().find(({ key }) => maps[0]!.some((one) => one.key === key));
    if (clash) report({ path: source }, `the macro "${name}" brings ${clashText(clash.key, maps[0]!)}`);
    if (!alternatives || clash) complete = false;
    else {
      const brought = alternatives.map((items) => items.map(({ key, value }) => ({ key, value, source, macro: name })));
      maps = maps.flatMap((items) => brought.map((more) => [...items, ...more])).slice(0, MAPS_MAX + 1);
    }
  }
  return { maps, complete };
}

function clashText(key: string, items: readonly Item[]): string {
  const { macro } = items.find((one) => one.key === key)!;
  const other = macro === undefined ? 'this map has it too' : `so does the macro "${macro}"`;
  return `"${key}", and ${other}; a map has each key once`;
}

function listName(value: unknown): string | undefined {
  if (!isMap(value) || Object.keys(value).length !== 1) return undefined;
  return typeof value['list'] === 'string' ? value['list'] : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

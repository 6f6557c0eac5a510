import type { YamlDocument } from '../formats/yaml-documents.ts';
import { type ResolvedMatch, resolveMatch } from './match-resolver.ts';
import type { Report } from './rule-diagnostics.ts';
import type { Fragments } from './rule-fragments.ts';

/**
 * Writes lists and macros out in every match of a rule: its own, those of its measures and of its exceptions. `sourceOf`
 * answers where its author wrote what stands there. What has no such shape is left for the schema to refuse.
 */
export function resolveRule(
  document: YamlDocument,
  fragments: Fragments,
  report: Report,
): { value: unknown; complete: boolean; sourceOf: ResolvedMatch['sourceOf'] } {
  const names = fragments.names(report);
  const { match, measure, exceptions } = document.value as Record<'match' | 'measure' | 'exceptions', unknown>;
  const value = { ...(document.value as object) } as Record<string, unknown>;
  const all: ResolvedMatch[] = [];
  const resolve = (written: unknown, base: PropertyKey[]) => {
    const resolved = resolveMatch(written, names, report, base);
    all.push(resolved);
    return resolved.value;
  };
  /** The map with its own match resolved, if it has one; a step may have `missing` instead. */
  const inside = (written: unknown, path: PropertyKey[]) => {
    if (!isMap(written)) return written;
    const part: Record<string, unknown> = { ...written };
    for (const key of ['match', 'missing']) {
      if (part[key] !== undefined) part[key] = resolve(part[key], [...path, key]);
    }
    return part;
  };
  if (match !== undefined) value['match'] = resolve(match, ['match']);
  /** The same for the steps of a sequence and what ends it. */
  const steps = (written: unknown, path: PropertyKey[]) => {
    if (!isMap(written)) return written;
    const part: Record<string, unknown> = { ...written };
    if (part['until'] !== undefined) part['until'] = resolve(part['until'], [...path, 'until']);
    for (const order of ['sequence', 'temporal']) {
      const list = part[order];
      if (Array.isArray(list)) part[order] = list.map((step, at) => inside(step, [...path, order, at]));
    }
    return part;
  };
  if (isMap(measure)) {
    const parts = Object.entries(measure).map(([name, part]) => {
      const path = ['measure', name];
      return [name, steps(inside(part, path), path)] as const;
    });
    value['measure'] = Object.fromEntries(parts);
  }
  if (Array.isArray(exceptions)) {
    value['exceptions'] = exceptions.map((part: unknown, index) => inside(part, ['exceptions', index]));
  }
  return {
    value,
    complete: all.every(({ complete }) => complete),
    sourceOf: (path) => all.reduce((found, { sourceOf }) => (found === path ? sourceOf(path) : found), path),
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { Intent } from '../domain/intent.ts';
import { AuthoredIntent } from '../domain/rule-fragment.ts';
import { checkIntent } from '../engine/evidence/intent.ts';
import { matchDoubts } from '../engine/match/doubts.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import type { TextPosition, YamlDocument } from '../formats/yaml-documents.ts';
import { type ResolvedMatch, resolveMatch } from './match-resolver.ts';
import { type Diagnostic, type Report, reporter, reportSchema } from './rule-diagnostics.ts';
import type { Fragments } from './rule-fragments.ts';

export interface LocatedIntent extends TextPosition {
  file: string;
  intent: Intent;
}

/** A document with `kind: intent`: the intent with lists and macros written out; undefined after any mistake. */
export function readIntent(
  file: string,
  document: YamlDocument,
  fragments: Fragments,
  diagnostics: Diagnostic[],
): LocatedIntent | undefined {
  const fields = document.value as Record<string, unknown>;
  const id = typeof fields['id'] === 'string' ? fields['id'] : undefined;
  const write = reporter(file, document, diagnostics, id === undefined ? {} : { intent: id });
  const value = { ...fields };
  const resolved: ResolvedMatch[] = [];
  for (const name of ['match', 'after']) {
    if (fields[name] === undefined) continue;
    const one = resolveMatch(fields[name], fragments.names(write), write, [name]);
    resolved.push(one);
    value[name] = one.value;
  }
  const report: Report = ({ path, ...place }, ...rest) => {
    const source = resolved.reduce((found, one) => (found === path ? one.sourceOf(path) : found), path);
    write({ ...place, path: source }, ...rest);
  };
  const parsed = Intent.safeParse(value);
  if (!parsed.success) {
    reportSchema(schemaProblems(parsed.error, AuthoredIntent, value), report);
    return undefined;
  }
  const intent = parsed.data;
  const result = checkIntent(intent);
  if (!result.ok) {
    for (const { message, ...place } of result.problems) report(place, message);
    return undefined;
  }
  for (const [name, match] of [
    ['match', intent.match],
    ['after', intent.after],
  ] as const) {
    const doubts = match === undefined ? [] : matchDoubts(match, [name], 'the intent marks nothing');
    for (const { message, ...place } of doubts) report(place, message, 'warning');
  }
  if (!resolved.every(({ complete }) => complete)) return undefined;
  return { file, ...document.locate({ path: ['id'] }), intent };
}

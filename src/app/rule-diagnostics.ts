import { hint, nearestName } from '../engine/expression/names.ts';
import type { SchemaProblem } from '../formats/schema-problems.ts';
import type { Place, TextPosition, YamlDocument } from '../formats/yaml-documents.ts';

/** One mistake or doubt, placed so that an editor can jump to it. */
export interface Diagnostic extends TextPosition {
  file: string;
  severity: 'error' | 'warning';
  /** Id of the rule or of the intent, where there is one. */
  rule?: string;
  intent?: string;
  message: string;
}

export type Report = (place: Place, message: string, severity?: Diagnostic['severity']) => void;

/** `named`: whose mistakes they are, where that is known. */
export function reporter(
  file: string,
  document: YamlDocument,
  to: Diagnostic[],
  named: Pick<Diagnostic, 'rule' | 'intent'> = {},
): Report {
  return (place, message, severity = 'error') => {
    to.push({ file, ...document.locate(place), severity, ...named, message });
  };
}

/** Reports what a schema refused. A field that is missing because its name is misspelt is reported once, as that. */
export function reportSchema(problems: readonly SchemaProblem[], report: Report, base: PropertyKey[] = []): void {
  const meant = problems.map(({ unknown }) => unknown && nearestName(unknown.name, unknown.allowed));
  for (const { unknown, missing, message, path, ...place } of problems) {
    if (missing !== undefined && meant.includes(missing)) continue;
    const text = unknown ? message + hint(unknown.name, unknown.allowed) : message;
    report({ ...place, path: [...base, ...path] }, text);
  }
}

/** The message, and whose it is. */
export function namedMessage({ rule, intent, message }: Diagnostic): string {
  if (rule !== undefined) return `rule "${rule}": ${message}`;
  return intent === undefined ? message : `intent "${intent}": ${message}`;
}

/** Of one file. Nobody reads more at once, and the first ones often explain the others. */
const SHOWN_MAX = 100;

/** The first ones in the order of the file, and how many more there are. What is hidden still refuses the file. */
export function shownOf(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const shown = diagnostics.slice(0, SHOWN_MAX);
  const [next, ...others] = diagnostics.slice(SHOWN_MAX);
  if (next === undefined) return shown;
  const { file, line, col } = next;
  const severity = [next, ...others].some((one) => one.severity === 'error') ? 'error' : 'warning';
  const message = `and ${(others.length + 1).toLocaleString('en')} more from here on; the first ${SHOWN_MAX} are shown`;
  return [...shown, { file, line, col, severity, message }];
}

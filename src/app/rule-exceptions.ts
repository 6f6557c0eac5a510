import type { Expiry } from '../domain/expiry.ts';
import { Match } from '../domain/match.ts';
import { EXCEPTIONS_MAX, type Rule, type RuleException } from '../domain/rule.ts';
import { ExceptionDocument } from '../domain/rule-fragment.ts';
import { hint } from '../engine/expression/names.ts';
import { matchDoubts } from '../engine/match/doubts.ts';
import { COVERS_NOTHING, compileCover } from '../engine/plan/exceptions.ts';
import type { RuleProblem } from '../engine/problem.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import type { TextPosition, YamlDocument } from '../formats/yaml-documents.ts';
import { resolveMatch } from './match-resolver.ts';
import { type Diagnostic, type Report, reporter, reportSchema } from './rule-diagnostics.ts';
import type { Fragments, ParsedFile } from './rule-fragments.ts';

interface FolderException {
  exception: RuleException;
  /** Undefined for all rules. */
  rules: readonly string[] | undefined;
}

/** The documents with `kind: exception`. Each is checked here, once, where it stands; the policy holds it in its rules. */
export class FolderExceptions {
  readonly diagnostics: Diagnostic[] = [];
  /** With the places of their dates. */
  readonly expiries: (Expiry & TextPosition & { file: string })[] = [];
  readonly #all: FolderException[] = [];

  constructor(files: readonly ParsedFile[], fragments: Fragments) {
    const ids = files.flatMap(({ documents }) => documents.flatMap(({ value }) => ruleIdOf(value) ?? []));
    for (const { file, documents } of files) {
      for (const document of documents) {
        if (isMap(document.value) && document.value['kind'] === 'exception') {
          this.#add(file, document, fragments, ids);
        }
      }
    }
    this.diagnostics.push(...repeatedNames(files));
  }

  /** The rule as the policy holds it: its own exceptions, then those of the folder. */
  writtenInto(rule: Rule, report: Report): Rule {
    const more = this.#all.filter(({ rules }) => rules?.includes(rule.id) ?? true).map(({ exception }) => exception);
    if (more.length === 0) return rule;
    const own = rule.exceptions ?? [];
    if (own.length + more.length > EXCEPTIONS_MAX) {
      const message = `the rule has ${own.length + more.length} exceptions, ${more.length} of them from the folder; at most ${EXCEPTIONS_MAX}`;
      report({ path: ['exceptions'], place: 'key' }, message);
    }
    return { ...rule, exceptions: [...own, ...more] };
  }

  #add(file: string, document: YamlDocument, fragments: Fragments, ids: readonly string[]): void {
    const report = reporter(file, document, this.diagnostics);
    const { match } = document.value as { match?: unknown };
    const resolved = resolveMatch(match, fragments.names(report), report);
    const value = { ...(document.value as object), ...(match === undefined ? {} : { match: resolved.value }) };
    const atSource: Report = (place, ...rest) => report({ ...place, path: resolved.sourceOf(place.path) }, ...rest);
    const parsed = ExceptionDocument.safeParse(value);
    if (!parsed.success) {
      reportSchema(schemaProblems(parsed.error, ExceptionDocument, value), atSource);
      return;
    }
    const { kind: _, rules, match: written, ...fields } = parsed.data;
    const exception: RuleException = { ...fields, match: Match.parse(written) };
    const problems: RuleProblem[] = [];
    compileCover(exception.match, problems);
    for (const { message, ...place } of problems) atSource(place, message);
    for (const { message, ...place } of matchDoubts(exception.match, ['match'], COVERS_NOTHING))
      atSource(place, message, 'warning');
    for (const [index, id] of (rules ?? []).entries()) {
      if (!ids.includes(id)) report({ path: ['rules', index] }, `unknown rule "${id}"${hint(id, ids)}`);
    }
    if (problems.length > 0 || !resolved.complete) return;
    this.#all.push({ exception, rules });
    const { name, owner, expires: date } = exception;
    this.expiries.push({ file, ...document.locate({ path: ['expires'] }), kind: 'exception', name, owner, date });
  }
}

/** Findings name an exception without its rule: a name is there once. */
function repeatedNames(files: readonly ParsedFile[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  const seen = new Map<string, string>();
  for (const { file, documents } of files) {
    for (const document of documents) {
      for (const path of namePaths(document.value)) {
        const name = path.reduce<unknown>((value, key) => Reflect.get(value as object, key), document.value);
        if (typeof name !== 'string') continue;
        const { line, col } = document.locate({ path });
        const first = seen.get(name);
        if (first === undefined) seen.set(name, `${file}:${line}:${col}`);
        else {
          const message = `the exception "${name}" exists already, at ${first}`;
          found.push({ file, line, col, severity: 'error', message });
        }
      }
    }
  }
  return found;
}

function namePaths(value: unknown): PropertyKey[][] {
  if (!isMap(value)) return [];
  if (value['kind'] === 'exception') return [['name']];
  const { exceptions } = value;
  if (ruleIdOf(value) === undefined || !Array.isArray(exceptions)) return [];
  return exceptions.flatMap((one: unknown, index) => (isMap(one) ? [['exceptions', index, 'name']] : []));
}

function ruleIdOf(value: unknown): string | undefined {
  if (!isMap(value) || (value['kind'] ?? 'rule') !== 'rule') return undefined;
  return typeof value['id'] === 'string' ? value['id'] : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { Match, type MatchMap } from '../domain/match.ts';
import { ListDocument, MacroDocument } from '../domain/rule-fragment.ts';
import { hint } from '../engine/expression/names.ts';
import { compileMatch } from '../engine/match/compile.ts';
import type { RuleProblem } from '../engine/problem.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import type { Place, TextPosition, YamlDocument } from '../formats/yaml-documents.ts';
import { type Alternatives, type MatchNames, resolveMatch } from './match-resolver.ts';
import { type Diagnostic, type Report, reporter, reportSchema } from './rule-diagnostics.ts';

/** What the documents of a file are, before any of them is understood. */
export interface ParsedFile {
  file: string;
  documents: YamlDocument[];
}

interface Fragment<Value> extends TextPosition {
  file: string;
  /** Undefined where it has a mistake of its own: whoever names it says nothing more. */
  value: Value | undefined;
  used: boolean;
}

const NESTED_MAX = 8;

/** The lists and macros of a policy. Every one is checked here, once, where it stands. */
export class Fragments {
  readonly diagnostics: Diagnostic[] = [];
  readonly #lists = new Map<string, Fragment<readonly MatchMap[string][]>>();
  readonly #macros = new Map<string, Fragment<() => Alternatives | undefined>>();
  /** Names of the macros that are being written out, outermost first. */
  readonly #open: string[] = [];

  constructor(files: readonly ParsedFile[]) {
    for (const { file, documents } of files) {
      for (const document of documents) {
        const kind = kindOf(document.value);
        if (kind === 'list') this.#addList(file, document);
        if (kind === 'macro') this.#addMacro(file, document);
      }
    }
    for (const { value } of this.#macros.values()) value?.();
  }

  /** For one match: unknown names are told with `report`. */
  names(report: Report): MatchNames {
    return {
      list: (name, at) => this.#find('list', this.#lists, name, at, report),
      macro: (name, at) => {
        const from = this.#open.indexOf(name);
        if (from >= 0) {
          report(at, `the macro "${name}" contains itself: ${[...this.#open.slice(from), name].join(' → ')}`);
          return undefined;
        }
        const macro = this.#find('macro', this.#macros, name, at, report);
        if (macro !== undefined && this.#open.length >= NESTED_MAX) {
          report(at, `macros are nested deeper than ${NESTED_MAX}`);
          return undefined;
        }
        return macro?.();
      },
    };
  }

  /** What no rule names. Known only after every rule was read. */
  unused(): Diagnostic[] {
    const unused = (kind: string, fragments: ReadonlyMap<string, Fragment<unknown>>) =>
      [...fragments].flatMap(([name, { file, line, col, used }]): Diagnostic[] =>
        used ? [] : [{ file, line, col, severity: 'warning', message: `no rule uses the ${kind} "${name}"` }],
      );
    return [...unused('list', this.#lists), ...unused('macro', this.#macros)];
  }

  #find<Value>(
    kind: string,
    fragments: ReadonlyMap<string, Fragment<Value>>,
    name: string,
    at: Place,
    report: Report,
  ): Value | undefined {
    const found = fragments.get(name);
    if (found === undefined) {
      const known =
        fragments.size === 0 ? `; there is no document with kind: ${kind}` : hint(name, [...fragments.keys()]);
      report(at, `unknown ${kind} "${name}"${known}`);
      return undefined;
    }
    found.used = true;
    return found.value;
  }

  #addList(file: string, document: YamlDocument): void {
    const report = reporter(file, document, this.diagnostics);
    const parsed = ListDocument.safeParse(document.value);
    if (!parsed.success) reportSchema(schemaProblems(parsed.error, ListDocument, document.value), report);
    this.#add('list', this.#lists, file, document, parsed.data?.values);
  }

  #addMacro(file: string, document: YamlDocument): void {
    const report = reporter(file, document, this.diagnostics);
    const { match, ...rest } = document.value as { match?: unknown; name?: unknown };
    // The match is checked after it was written out; here it only has to be there.
    const shape = MacroDocument.safeParse({ ...rest, ...(match === undefined ? {} : { match: {} }) });
    if (!shape.success) reportSchema(schemaProblems(shape.error, MacroDocument, document.value), report);
    const name = String(rest.name);
    let resolved: Alternatives | undefined;
    let done = false;
    const resolve = () => {
      if (done) return resolved;
      this.#open.push(name);
      resolved = this.#resolve(match, report);
      this.#open.pop();
      done = true;
      return resolved;
    };
    this.#add('macro', this.#macros, file, document, shape.success ? resolve : undefined);
  }

  #resolve(match: unknown, report: Report): Alternatives | undefined {
    const { value, alternatives, complete, sourceOf } = resolveMatch(match, this.names(report), report);
    const parsed = Match.safeParse(value);
    const atSource: Report = (place, message) => report({ ...place, path: sourceOf(place.path) }, message);
    if (!parsed.success) {
      const problems = schemaProblems(parsed.error, Match, value);
      reportSchema(problems, atSource, ['match']);
      return undefined;
    }
    const problems: RuleProblem[] = [];
    compileMatch(parsed.data, problems);
    for (const { message, ...place } of problems) atSource(place, message);
    return complete && problems.length === 0 ? alternatives : undefined;
  }

  #add<Value>(
    kind: string,
    fragments: Map<string, Fragment<Value>>,
    file: string,
    document: YamlDocument,
    value: Value | undefined,
  ): void {
    const { name } = document.value as { name?: unknown };
    if (typeof name !== 'string') return;
    const place = document.locate({ path: ['name'] });
    const first = fragments.get(name);
    if (first === undefined) fragments.set(name, { file, ...place, value, used: false });
    else {
      const message = `the ${kind} "${name}" exists already, at ${first.file}:${first.line}:${first.col}`;
      this.diagnostics.push({ file, ...place, severity: 'error', message });
    }
  }
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { kind?: unknown }).kind : undefined;
}

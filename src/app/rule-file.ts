import { type Expiry, expiriesOf } from '../domain/expiry.ts';
import { type PolicySettings, Rule } from '../domain/rule.ts';
import { RuleTest } from '../domain/rule-test.ts';
import { hint } from '../engine/expression/names.ts';
import { doubtsOf } from '../engine/plan/doubts.ts';
import { checkRule } from '../engine/plan/rule.ts';
import { eventsOf } from '../formats/event-generator.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import { type Place, readYaml, type TextPosition, type YamlDocument } from '../formats/yaml-documents.ts';
import { CostlyParts } from './costly-parts.ts';
import { type LocatedIntent, readIntent } from './intent-document.ts';
import { readSettings } from './policy-document.ts';
import { type Diagnostic, type Report, reporter, reportSchema, shownOf } from './rule-diagnostics.ts';
import { FolderExceptions } from './rule-exceptions.ts';
import { Fragments, type ParsedFile } from './rule-fragments.ts';
import { resolveRule } from './rule-matches.ts';
import { ruleWithout } from './rule-repair.ts';

export interface LocatedRule extends TextPosition {
  file: string;
  rule: Rule;
  /** Where a part of the rule stands in the file. */
  locate(place: Place): TextPosition;
}

export interface LocatedSettings extends TextPosition {
  file: string;
  settings: PolicySettings;
}

/** What expires, with the place of its date. */
export interface LocatedExpiry extends TextPosition, Expiry {
  file: string;
}

export interface RuleFile {
  /** Only rules without an error. */
  rules: LocatedRule[];
  intents: LocatedIntent[];
  /** Ids that the file claims, also those of rules with errors. */
  ids: (TextPosition & { file: string; id: string })[];
  settings: LocatedSettings[];
  /** Of the rules without an error, and of the exceptions for several rules. */
  expiries: LocatedExpiry[];
  diagnostics: Diagnostic[];
}

/** What a file holds before its documents are understood; `problems` where it is not YAML. */
export function parseRuleFile(file: string, text: string | Uint8Array): ParsedFile & { problems: Diagnostic[] } {
  const { documents, problems } = readYaml(text);
  const found = problems.map((problem): Diagnostic => ({ file, severity: 'error', ...problem }));
  if (documents.length === 0 && found.length === 0) {
    found.push({ file, line: 1, col: 1, severity: 'error', message: 'the file holds no rule' });
  }
  return { file, documents, problems: found };
}

/** One file alone: it can use only the lists and macros that it holds itself. */
export function readRuleFile(file: string, text: string | Uint8Array): RuleFile {
  const parsed = parseRuleFile(file, text);
  const fragments = new Fragments([parsed]);
  return understand(parsed, fragments, new FolderExceptions([parsed], fragments));
}

/** Everything that one file says and everything that is wrong with it, in the order of the file. */
export function understand(
  { file, documents, problems }: ReturnType<typeof parseRuleFile>,
  fragments: Fragments,
  exceptions: FolderExceptions,
): RuleFile {
  const own = [...fragments.diagnostics, ...exceptions.diagnostics].filter((one) => one.file === file);
  const read: RuleFile = {
    rules: [],
    intents: [],
    ids: [],
    settings: [],
    expiries: [],
    diagnostics: [...problems, ...own],
  };
  const costly = new CostlyParts();
  for (const document of documents) {
    const refused = costly.refusal(document.value);
    if (refused === undefined) readDocument(file, document, fragments, exceptions, read);
    else reporter(file, document, read.diagnostics)({ path: [] }, refused);
  }
  read.expiries.push(...exceptions.expiries.filter((one) => one.file === file));
  read.expiries.sort((a, b) => a.line - b.line || a.col - b.col);
  read.diagnostics.sort((a, b) => a.line - b.line || a.col - b.col);
  // What stands beside a macro with alternatives is checked once per alternative.
  read.diagnostics = shownOf(read.diagnostics.filter((one, index, all) => !isRepeated(one, all[index - 1])));
  return read;
}

function isRepeated(one: Diagnostic, before: Diagnostic | undefined): boolean {
  return one.line === before?.line && one.col === before.col && one.message === before.message;
}

function readDocument(
  file: string,
  document: YamlDocument,
  fragments: Fragments,
  exceptions: FolderExceptions,
  read: RuleFile,
): void {
  const { value } = document;
  const report = reporter(file, document, read.diagnostics);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report({ path: [] }, 'a document is a map of fields: id: …, title: …; several are separated by ---');
    return;
  }
  const { kind = 'rule', id } = value as { kind?: unknown; id?: unknown };
  if ((kind === 'rule' || kind === 'intent') && typeof id === 'string')
    read.ids.push({ file, ...document.locate({ path: ['id'] }), id });
  if (kind === 'rule') readRule(file, document, fragments, exceptions, read);
  else if (kind === 'intent') {
    const intent = readIntent(file, document, fragments, read.diagnostics);
    if (intent) read.intents.push(intent);
  } else if (kind === 'policy') {
    const settings = readSettings(document, report);
    if (settings) read.settings.push({ file, ...document.locate({ path: [] }), settings });
  } else if (kind === 'list' || kind === 'macro' || kind === 'exception')
    return; // Fragments and FolderExceptions have read it.
  else if (kind === 'tests') report({ path: ['kind'] }, 'tests stand in a file of their own: NAME.test.yaml');
  else
    report(
      { path: ['kind'] },
      `unknown kind ${JSON.stringify(kind)}${hint(String(kind), ['rule', 'intent', 'policy', 'list', 'macro', 'exception'])}`,
    );
}

function readRule(
  file: string,
  document: YamlDocument,
  fragments: Fragments,
  exceptions: FolderExceptions,
  read: RuleFile,
): void {
  const { id } = document.value as { id?: unknown };
  const write = reporter(file, document, read.diagnostics, typeof id === 'string' ? { rule: id } : {});
  const resolved = resolveRule(document, fragments, write);
  const { value } = resolved;
  const locate = (place: Place) => document.locate({ ...place, path: resolved.sourceOf(place.path) });
  const report = reporter(file, { value, locate }, read.diagnostics, typeof id === 'string' ? { rule: id } : {});
  const parsed = Rule.safeParse(value);
  const problems = parsed.success ? [] : schemaProblems(parsed.error, Rule, value);
  reportSchema(problems, report);
  // What the schema refused is taken out, so that the rest of the rule is checked in the same run.
  const rule = parsed.success ? parsed.data : ruleWithout(value, problems);
  if (rule === undefined) return;
  const result = checkRule(rule);
  if (!result.ok) for (const { message, ...place } of result.problems) report(place, message);
  const tested = checkTests(value, report);
  for (const { message, ...place } of doubtsOf(rule)) report(place, message, 'warning');
  if (!parsed.success || !result.ok || !tested || !resolved.complete) return;
  const dates = [...(rule.exceptions ?? []).map((_, index) => ['exceptions', index, 'expires']), ['shadowUntil']];
  for (const [index, expiry] of expiriesOf(rule).entries()) {
    read.expiries.push({ file, ...document.locate({ path: dates[index]! }), ...expiry });
  }
  const whole = exceptions.writtenInto(rule, report);
  read.rules.push({ file, ...document.locate({ path: ['id'] }), rule: whole, locate });
}

/** Answers whether the inline tests that the schema accepts can be run. */
function checkTests(value: unknown, report: Report): boolean {
  const { tests } = value as { tests?: unknown };
  let usable = true;
  for (const [index, each] of (Array.isArray(tests) ? tests : []).entries()) {
    const test = RuleTest.safeParse(each);
    const problems = test.success ? eventsOf(test.data).problems : [];
    if (problems.length > 0) usable = false;
    reportSchema(problems, report, ['tests', index]);
  }
  return usable;
}

import { parseDuration } from '../domain/duration.ts';
import { PolicyDocument, PolicySettings, Rule } from '../domain/rule.ts';
import { RuleTest } from '../domain/rule-test.ts';
import { hint, nearestName } from '../engine/expression/names.ts';
import { doubtsOf } from '../engine/plan/doubts.ts';
import { checkRule } from '../engine/plan/rule.ts';
import { eventsOf } from '../formats/event-generator.ts';
import { type SchemaProblem, schemaProblems } from '../formats/schema-problems.ts';
import { type Place, readYaml, type TextPosition, type YamlDocument } from '../formats/yaml-documents.ts';
import { ruleWithout } from './rule-repair.ts';

/** One mistake or doubt, placed so that an editor can jump to it. */
export interface Diagnostic extends TextPosition {
  file: string;
  severity: 'error' | 'warning';
  /** Id of the rule, where there is one. */
  rule?: string;
  message: string;
}

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

export interface RuleFile {
  /** Only rules without an error. */
  rules: LocatedRule[];
  /** Ids that the file claims, also those of rules with errors. */
  ids: (TextPosition & { file: string; id: string })[];
  settings: LocatedSettings[];
  diagnostics: Diagnostic[];
}

/** Everything that one file says and everything that is wrong with it, in the order of the file. */
export function readRuleFile(file: string, text: string): RuleFile {
  const read: RuleFile = { rules: [], ids: [], settings: [], diagnostics: [] };
  const { documents, problems } = readYaml(text);
  for (const { line, col, message } of problems) read.diagnostics.push({ file, line, col, severity: 'error', message });
  if (documents.length === 0 && problems.length === 0) {
    read.diagnostics.push({ file, line: 1, col: 1, severity: 'error', message: 'the file holds no rule' });
  }
  for (const document of documents) readDocument(file, document, read);
  read.diagnostics.sort((a, b) => a.line - b.line || a.col - b.col);
  return read;
}

function readDocument(file: string, document: YamlDocument, read: RuleFile): void {
  const { value } = document;
  const report = reporter(file, document, read.diagnostics);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report({ path: [] }, 'a document is a map of fields: id: …, title: …; several are separated by ---');
    return;
  }
  const { kind = 'rule' } = value as { kind?: unknown };
  if (kind === 'rule') readRule(file, document, read);
  else if (kind === 'policy') readSettings(file, document, read);
  else if (kind === 'tests') report({ path: ['kind'] }, 'tests stand in a file of their own: NAME.test.yaml');
  else report({ path: ['kind'] }, `unknown kind ${JSON.stringify(kind)}${hint(String(kind), ['rule', 'policy'])}`);
}

type Report = (place: Place, message: string, severity?: Diagnostic['severity']) => void;

export function reporter(file: string, document: YamlDocument, to: Diagnostic[], rule?: string): Report {
  const named = rule === undefined ? {} : { rule };
  return (place, message, severity = 'error') => {
    to.push({ file, ...document.locate(place), severity, ...named, message });
  };
}

function readRule(file: string, document: YamlDocument, read: RuleFile): void {
  const { id } = document.value as { id?: unknown };
  const report = reporter(file, document, read.diagnostics, typeof id === 'string' ? id : undefined);
  if (typeof id === 'string') read.ids.push({ file, ...document.locate({ path: ['id'] }), id });
  const parsed = Rule.safeParse(document.value);
  const problems = parsed.success ? [] : schemaProblems(parsed.error, Rule, document.value);
  reportSchema(problems, report);
  // What the schema refused is taken out, so that the rest of the rule is checked in the same run.
  const rule = parsed.success ? parsed.data : ruleWithout(document.value, problems);
  if (rule === undefined) return;
  const result = checkRule(rule);
  if (!result.ok) for (const { message, ...place } of result.problems) report(place, message);
  const tested = checkTests(document.value, report);
  for (const { message, ...place } of doubtsOf(rule)) report(place, message, 'warning');
  if (!parsed.success || !result.ok || !tested) return;
  const locate = (place: Place) => document.locate(place);
  read.rules.push({ file, ...document.locate({ path: ['id'] }), rule, locate });
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

/** Reports what a schema refused. A field that is missing because its name is misspelt is reported once, as that. */
export function reportSchema(problems: readonly SchemaProblem[], report: Report, base: PropertyKey[] = []): void {
  const meant = problems.map(({ unknown }) => unknown && nearestName(unknown.name, unknown.allowed));
  for (const { unknown, missing, message, path, ...place } of problems) {
    if (missing !== undefined && meant.includes(missing)) continue;
    const text = unknown ? message + hint(unknown.name, unknown.allowed) : message;
    report({ ...place, path: [...base, ...path] }, text);
  }
}

const SETTINGS = {
  idleEnd: 'idleEndMs',
  maxLifetime: 'maxLifetimeMs',
  watchHold: 'watchHoldMs',
  killMark: 'killMarkMs',
  delay: 'delayMs',
} as const satisfies Record<Exclude<keyof PolicyDocument, 'kind'>, keyof PolicySettings>;

function readSettings(file: string, document: YamlDocument, read: RuleFile): void {
  const report = reporter(file, document, read.diagnostics);
  const parsed = PolicyDocument.safeParse(document.value);
  if (!parsed.success) {
    reportSchema(schemaProblems(parsed.error, PolicyDocument, document.value), report);
    return;
  }
  const settings: Partial<PolicySettings> = {};
  for (const [name, field] of Object.entries(SETTINGS) as [keyof typeof SETTINGS, keyof PolicySettings][]) {
    const text = parsed.data[name];
    if (text === undefined) continue;
    settings[field] = parseDuration(text);
    if (settings[field] <= 0) report({ path: [name] }, `${name}: found "${text}"; allowed: more than nothing`);
  }
  const complete = PolicySettings.safeParse(settings);
  if (complete.success) read.settings.push({ file, ...document.locate({ path: [] }), settings: complete.data });
}

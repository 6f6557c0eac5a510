import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { policyOf } from '../adapters/policy-body.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { expiryText, isExpired } from '../domain/expiry.ts';
import { DEFAULT_SETTINGS, INTENTS_MAX, type PolicyBody } from '../domain/rule.ts';
import { ENGINE_VERSION } from '../engine/plan/policy.ts';
import { YAML_LIMITS } from '../formats/yaml-limits.ts';
import {
  type BaselineFile,
  readBaseline,
  uncertified,
  underBudgets,
  unlearned,
  unlearnedNumbers,
} from './baseline-file.ts';
import { readAtMost } from './bounded-file.ts';
import type { LocatedIntent } from './intent-document.ts';
import { type Diagnostic, namedMessage } from './rule-diagnostics.ts';
import { FolderExceptions } from './rule-exceptions.ts';
import { type LocatedExpiry, type LocatedRule, parseRuleFile, type RuleFile, understand } from './rule-file.ts';
import { Fragments } from './rule-fragments.ts';

export interface RuleFolder {
  /** Every rule without an error; with an error anywhere it is not the policy that its authors mean. */
  body: PolicyBody;
  /** Where its baseline comes from; undefined where it has none. */
  learned: BaselineFile | undefined;
  rules: LocatedRule[];
  expiries: LocatedExpiry[];
  diagnostics: Diagnostic[];
  /** Paths of the rule files, as they are named in the diagnostics. */
  files: string[];
}

const FILES_MAX = 500;
const RULE_FILE = /\.ya?ml$/;
export const TEST_FILE = /\.test\.ya?ml$/;

/** The rule files of a folder, or the one file, sorted by path. A folder is not searched deeper. */
export async function ruleFilesAt(path: string): Promise<string[]> {
  return (await yamlFilesAt(path)).filter((file) => !TEST_FILE.test(file));
}

export async function yamlFilesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => RULE_FILE.test(name));
  return names.sort().map((name) => join(path, name));
}

/** Rules or tests: at most one byte more than such a file may have, which is then refused. */
export function readRuleBytes(file: string): Promise<Uint8Array> {
  return readAtMost(file, YAML_LIMITS.bytes);
}

/** Reads the rules at the paths (folders or files) into one policy, with every mistake in any of them. */
export async function loadRules(paths: readonly string[]): Promise<RuleFolder> {
  const found = await Promise.all(paths.map(ruleFilesAt));
  const named = [...new Set(found.flat())];
  const files = named.slice(0, FILES_MAX);
  const texts = await Promise.all(files.map(readRuleBytes));
  const parsed = files.map((file, index) => parseRuleFile(file, texts[index]!));
  const fragments = new Fragments(parsed);
  const exceptions = new FolderExceptions(parsed, fragments);
  const read = parsed.map((one) => understand(one, fragments, exceptions));
  const diagnostics = [
    ...emptyPaths(paths, found),
    ...tooManyFiles(named),
    ...read.flatMap((one) => one.diagnostics),
    ...clashes(read),
    ...fragments.unused(),
  ];
  const rules = read.flatMap((one) => one.rules);
  const settings = read.flatMap((one) => one.settings)[0]?.settings ?? DEFAULT_SETTINGS;
  // The tests stay out: whoever edits one has not made another policy.
  const intents = read.flatMap((one) => one.intents);
  const baselines = await Promise.all(paths.map((path) => readBaseline(path, diagnostics)));
  const learned = baselines.find((one) => one !== undefined);
  const baseline = learned && underBudgets(learned.baseline, settings.budgets);
  diagnostics.push(
    ...tooMany(intents),
    ...unlearned(intents, baseline),
    ...unlearnedNumbers(rules, baseline),
    ...uncertified(paths, settings, learned?.baseline),
  );
  const body: PolicyBody = {
    format: 1,
    settings,
    rules: rules.map(({ rule }) => ({ ...rule, tests: [] })),
    ...(intents.length === 0 ? {} : { intents: intents.map(({ intent }) => intent) }),
    ...(baseline === undefined ? {} : { baseline }),
  };
  return { body, learned, rules, expiries: read.flatMap((one) => one.expiries), diagnostics, files };
}

/** What is over by `nowMs`, for whoever checks or activates the folder. A warning: it is not the rules that changed. */
export function expiryWarnings({ expiries }: RuleFolder, nowMs: number): Diagnostic[] {
  return expiries
    .filter((one) => isExpired(one, nowMs))
    .map((one) => ({ ...placeOf(one), severity: 'warning', message: expiryText(one, nowMs) }));
}

function placeOf({ file, line, col }: LocatedExpiry): Pick<Diagnostic, 'file' | 'line' | 'col'> {
  return { file, line, col };
}

/** The rules have mistakes. The message lists them all; a policy is whole or it is none. */
export class RulesRefused extends Error {
  override readonly name = 'RulesRefused';
}

/** The policy that a folder of rules makes. */
export async function loadPolicyFolder(path: string): Promise<PolicyBody> {
  const { body, diagnostics } = await loadRules([path]);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new RulesRefused(`the rules have mistakes:\n${errors.map(diagnosticLine).join('\n')}`);
  return body;
}

function tooManyFiles(named: readonly string[]): Diagnostic[] {
  const first = named[FILES_MAX];
  if (first === undefined) return [];
  const message = `${named.length} rule files; a policy has at most ${FILES_MAX}, this one and those after it are not read`;
  return [{ file: first, line: 1, col: 1, severity: 'error', message }];
}

/** A path without rules is a mistyped path: checking nothing and finding no mistake would be a lie. */
function emptyPaths(paths: readonly string[], found: readonly string[][]): Diagnostic[] {
  const message = 'no rule files here; a path is a folder with *.yaml files, or one such file';
  return paths
    .filter((_, index) => found[index]!.length === 0)
    .map((file) => ({ file, line: 1, col: 1, severity: 'error', message }));
}

/** What only shows when the files are seen together. */
function clashes(read: readonly RuleFile[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  const seen = new Map<string, string>();
  for (const { id, file, line, col } of read.flatMap((one) => one.ids)) {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, `${file}:${line}:${col}`);
    else {
      const message = `the id "${id}" is taken already, at ${first}; an id belongs to one rule`;
      found.push({ file, line, col, severity: 'error', rule: id, message });
    }
  }
  const [first, ...others] = read.flatMap((one) => one.settings);
  for (const { file, line, col } of others) {
    const message = `a policy has one document with settings; the other one is at ${first!.file}:${first!.line}:${first!.col}`;
    found.push({ file, line, col, severity: 'error', message });
  }
  return found;
}

function tooMany(intents: readonly LocatedIntent[]): Diagnostic[] {
  return intents.slice(INTENTS_MAX).map(({ file, line, col, intent }) => {
    const message = `a policy has at most ${INTENTS_MAX} intents; they share one budget, and each more makes all of them slower to see`;
    return { file, line, col, severity: 'error', intent: intent.id, message };
  });
}

/** The bytes that are stored and hashed: equal policies have equal bytes. */
export function policyBytes(body: PolicyBody): Uint8Array {
  return Buffer.from(canonicalJson(body), 'utf8');
}

/** The content address under which partitions activate the body. */
export function policyHash(body: PolicyBody): string {
  return policyOf(policyBytes(body), ENGINE_VERSION).hash;
}

/** `file:line:col: error: rule "id": message` */
export function diagnosticLine(diagnostic: Diagnostic): string {
  const { file, line, col, severity } = diagnostic;
  return `${file}:${line}:${col}: ${severity}: ${namedMessage(diagnostic)}`;
}

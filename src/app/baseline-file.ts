import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Baseline, BaselineDocument, type Budgets } from '../domain/baseline.ts';
import { explain } from '../domain/explain.ts';
import type { Intent } from '../domain/intent.ts';
import { scoresOf } from '../domain/reach.ts';
import type { PolicySettings } from '../domain/rule.ts';
import { shareText } from '../domain/share.ts';
import { checkIntent } from '../engine/evidence/intent.ts';
import { numbersMeaning } from '../engine/plan/learned.ts';
import type { RawBaseline } from '../formats/baseline-signature.ts';
import { certify } from '../learning/certify.ts';
import { readAtMost } from './bounded-file.ts';
import type { LocatedIntent } from './intent-document.ts';
import type { Diagnostic } from './rule-diagnostics.ts';
import type { LocatedRule } from './rule-file.ts';

/** What `firebreak learn` writes beside the rules of a folder. A part of the policy that the folder makes. */
export const BASELINE_FILE = 'baseline.json';

/** Far above what the most intents can learn; what is larger is another file that got this name. */
const BASELINE_BYTES_MAX = 64 * 1024 * 1024;

export interface BaselineFile {
  file: string;
  baseline: Baseline;
  /** As the file has it: what its signature covers. */
  document: RawBaseline;
}

/** The baseline of a folder; undefined where there is none, or one that a diagnostic says to be unusable. */
export function readBaseline(folder: string, diagnostics: Diagnostic[]): Promise<BaselineFile | undefined> {
  return readBaselineFile(join(folder, BASELINE_FILE), diagnostics);
}

/** Of a folder, or of the file itself. Undefined where there is none; throws with every reason why it cannot be used. */
export async function baselineAt(path: string): Promise<BaselineFile | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const diagnostics: Diagnostic[] = [];
  const file = found?.isDirectory() === true ? join(path, BASELINE_FILE) : path;
  const read = await readBaselineFile(file, diagnostics);
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => `${file}: ${message}`).join('\n'));
  return read;
}

async function readBaselineFile(file: string, diagnostics: Diagnostic[]): Promise<BaselineFile | undefined> {
  const bytes = await readAtMost(file, BASELINE_BYTES_MAX).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const refuse = (message: string) => diagnostics.push({ file, line: 1, col: 1, severity: 'error', message });
  if (bytes.length > BASELINE_BYTES_MAX) {
    refuse(`the baseline has more than ${BASELINE_BYTES_MAX} bytes; learn it again with firebreak learn`);
    return undefined;
  }
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    refuse(`not JSON: ${(error as Error).message}; learn it again with firebreak learn`);
    return undefined;
  }
  const parsed = BaselineDocument.safeParse(json);
  if (parsed.success) {
    const { signature: _apart, ...baseline } = parsed.data;
    return { file, baseline, document: json as RawBaseline };
  }
  for (const { path, found, allowed } of explain(parsed.error, json))
    refuse(`${path}: found ${found}; allowed: ${allowed}`);
  return undefined;
}

/**
 * Intents that the baseline of the folder does not cover: they mark nothing, and their authors should know. Without any
 * baseline the folder is used without intents, and nothing is said.
 */
export function unlearned(intents: readonly LocatedIntent[], baseline: Baseline | undefined): Diagnostic[] {
  if (baseline === undefined) return [];
  return intents.flatMap(({ file, line, col, intent }) => {
    const message = whyUnlearned(intent, baseline);
    return message === undefined ? [] : [{ file, line, col, severity: 'warning', intent: intent.id, message }];
  });
}

function whyUnlearned(intent: Intent, baseline: Baseline): string | undefined {
  const known = baseline.intents[intent.id];
  const result = checkIntent(intent);
  if (known === undefined) return 'the intent has no baseline and marks nothing yet; firebreak learn makes one';
  if (result.ok && result.checked.meaning !== known.meaning)
    return 'the intent marks something else than when its baseline was learned, and marks nothing now; run firebreak learn';
  return undefined;
}

/** The same knowledge with the thresholds that these budgets certify: another budget needs no learning. */
export function underBudgets(baseline: Baseline, budgets: Budgets | undefined): Baseline {
  const { reach } = baseline;
  if (budgets === undefined || reach === undefined) return baseline;
  return { ...baseline, thresholds: certify(scoresOf(reach), budgets), onUncertified: budgets.onUncertified };
}

/** Rules that changed since their numbers were learned: they use their defaults, and their authors should know. */
export function unlearnedNumbers(rules: readonly LocatedRule[], baseline: Baseline | undefined): Diagnostic[] {
  return rules.flatMap(({ file, line, col, rule }) => {
    const learned = baseline?.rules?.[rule.id];
    if (learned === undefined || learned.meaning === numbersMeaning(rule)) return [];
    const message =
      'the rule measures something else than when its numbers were learned, and uses baselineDefaults; run firebreak learn';
    return [{ file, line, col, severity: 'warning', rule: rule.id, message }];
  });
}

/** Budgets that the baseline cannot serve: operators should know before they rely on a kill. */
export function uncertified(
  paths: readonly string[],
  { budgets }: PolicySettings,
  baseline: Baseline | undefined,
): Diagnostic[] {
  if (budgets === undefined || baseline === undefined) return [];
  const file = join(paths[0]!, BASELINE_FILE);
  const warn = (message: string): Diagnostic[] => [{ file, line: 1, col: 1, severity: 'warning', message }];
  if (baseline.reach === undefined)
    return warn(
      'the baseline does not say how far sessions reach, so the budgets of the policy change nothing; run firebreak learn',
    );
  const { kill } = underBudgets(baseline, budgets).thresholds;
  if (kill.needed === undefined) return [];
  return warn(
    `${kill.n} sessions certify no budget of ${shareText(kill.alpha)}: evidence leads to ${budgets.onUncertified} instead of kill; ${kill.needed - kill.n} sessions are missing`,
  );
}

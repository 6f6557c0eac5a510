import type { BaselineFile } from '../app/baseline-file.ts';
import { type BaselineDiff, type IntentDiff, MOVED_FACTOR } from '../app/learn/baseline-diff.ts';
import type { BaselineSignature, CertifiedThreshold } from '../domain/baseline.ts';
import { CONDITIONS } from '../domain/level.ts';
import { aligned } from './columns.ts';
import { usualLines } from './learn-text.ts';
import { BOUNDS_TEXT, movesText } from './moves-text.ts';

/** Who vouches for a baseline, as far as it was looked at. */
export interface Signer {
  signature: BaselineSignature | undefined;
  /** Why it does not count, by the keys that were given; `unchecked` without keys. */
  verdict: 'unchecked' | 'good' | { fault: string };
}

/** Of a list so many are named; --json has all. */
const NAMED = 5;

/** For the person who decides whether a new baseline is activated: what moved, the most first. */
export function baselineDiffText({ sessions, thresholds, intents, beyond }: BaselineDiff): string {
  const counts = Object.entries(sessions).map(([part, { before, after }]) => `${part} ${before} -> ${after}`);
  const rows = CONDITIONS.map((condition) => {
    const { before, after } = thresholds[condition];
    return [condition, thresholdText(before), '->', thresholdText(after)];
  });
  const lines = [`sessions: ${counts.join(', ')}`, '', ...aligned(rows), ''];
  if (beyond.length > 0)
    lines.push(
      `beyond what one version may raise (${BOUNDS_TEXT}):`,
      ...movesText(beyond).map((line) => `  ${line}`),
      '',
    );
  const silent = intents.filter(isUnmoved).map(({ intent }) => intent);
  for (const one of intents) if (!isUnmoved(one)) lines.push(...intentLines(one));
  if (silent.length > 0) lines.push(`as before (no rate moved by a factor of ${MOVED_FACTOR}): ${silent.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

/** One baseline, for the person who is asked to vouch for it. */
export function baselineText({ file, baseline }: BaselineFile, signer: Signer): string {
  const counts = Object.entries(baseline.sessions).map(([part, count]) => `${part} ${count}`);
  const rows = [
    ['file', file],
    ['signed', signatureText(signer)],
    [baseline.of ?? 'sessions', counts.join(', ')],
    ...CONDITIONS.map((condition) => [condition, thresholdText(baseline.thresholds[condition])]),
    ...usualLines(baseline),
  ];
  return `${aligned(rows).join('\n')}\n`;
}

/** Who signed, and whether that counts as far as anybody looked. */
export function signatureText({ signature, verdict }: Signer): string {
  if (signature === undefined) return 'by nobody';
  const who = `by ${signature.key} at ${signature.at}`;
  if (verdict === 'good') return who;
  return verdict === 'unchecked' ? `${who} (not checked; --keys FILE checks it)` : `${who}: ${verdict.fault}`;
}

function thresholdText({ c, alpha, grade, n }: CertifiedThreshold): string {
  const at = c === undefined ? 'never' : `above ${c.toPrecision(4)} nats`;
  return `${at} (${grade}, n = ${n}, budget ${alpha})`;
}

function isUnmoved({ kind, moved, cohorts, known }: IntentDiff): boolean {
  const lists = [moved, cohorts.added, cohorts.removed, known.added, known.removed];
  return kind === 'compared' && lists.every(({ length }) => length === 0);
}

const KINDS: Record<Exclude<IntentDiff['kind'], 'compared'>, string> = {
  added: 'new: it was not learned before',
  removed: 'gone: it marks nothing under the new one',
  redefined: 'marks something else now: nothing to compare',
};

function intentLines({ intent, kind, moved, cohorts, known }: IntentDiff): string[] {
  if (kind !== 'compared') return [`${intent}: ${KINDS[kind]}`, ''];
  const rows = moved.slice(0, NAMED).map(({ cohort, before, after, sessions }) => {
    const factor = `x ${(after / before).toPrecision(3)}`;
    const rate = `${hundred(before)} -> ${hundred(after)} marks in 100 actions`;
    return ['', cohort || 'all sessions', factor, rate, `${sessions.before} -> ${sessions.after} sessions`];
  });
  const rest = moved.length > NAMED ? [`  and ${moved.length - NAMED} more cohorts moved`] : [];
  return [
    intent,
    ...aligned(rows),
    ...rest,
    ...named('cohorts that are new', cohorts.added),
    ...named('cohorts that are gone', cohorts.removed),
    ...named('known values that are new', known.added),
    ...named('known values that are gone', known.removed),
    '',
  ];
}

function named(what: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const more = values.length > NAMED ? ', …' : '';
  return [`  ${what}: ${values.length} (${values.slice(0, NAMED).join(', ')}${more})`];
}

function hundred(rate: number): string {
  return String(Number((rate * 100).toPrecision(3)));
}

import { parseDuration } from '../../domain/duration.ts';
import type { Match } from '../../domain/match.ts';
import type { Measure } from '../../domain/rule.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { compileSteps } from '../sequence/compile.ts';
import { HALF_LIVES_KEPT } from '../window/fading-sum.ts';
import { type MeasureSource, type NumberSource, parseMeasure } from './measure.ts';
import type { Weight } from './weight.ts';

/** A measure of a rule with everything that text can get wrong settled. */
export interface CheckedMeasure {
  name: string;
  source: MeasureSource;
  /** Length of the window, ms; Infinity for the life of the session. */
  withinMs: number;
  /** What an action must pass beside the rule's match; absent where that is all. */
  own: { match: Match; test: EventTest } | undefined;
  /** Of points alone. */
  weight?: Weight;
}

const SHORTEST_WINDOW_MS = 1000;
const LONGEST_WINDOW_MS = 30 * 86_400_000;

/**
 * Checks one measure of a rule whose window is `withinMs` and whose points weigh `weight`; empty where its text says
 * nothing that can be measured.
 */
export function checkMeasure(
  name: string,
  measure: Measure,
  withinMs: number,
  weight: Weight | undefined,
  problems: RuleProblem[],
): CheckedMeasure[] {
  const path = ['measure', name];
  if (typeof measure !== 'string' && !('of' in measure)) {
    const plan = compileSteps(measure, withinMs, path, problems);
    return [{ name, source: { feature: 'steps', plan, reading: 'total' }, withinMs, own: undefined }];
  }
  const written = typeof measure === 'string' ? { of: measure } : measure;
  const textPath = typeof measure === 'string' ? path : [...path, 'of'];
  const parsed = parseMeasure(written.of);
  if ('problem' in parsed) problems.push({ path: textPath, message: parsed.problem });
  const { match, within } = written;
  const test = match && compileMatch(match, problems, [...path, 'match']).test;
  const ownWithinMs = within === undefined ? withinMs : windowOf(within, [...path, 'within'], problems);
  if ('problem' in parsed) return [];
  const { source } = parsed;
  const own = match !== undefined && test !== undefined && !isEmptyMatch(match) ? { match, test } : undefined;
  const checked = { name, source, withinMs: spanOf(source, ownWithinMs), own };
  if (source.feature === 'firstSeen' && Number.isFinite(ownWithinMs) && source.timeMs! < ownWithinMs) {
    const message = `${written.of} looks back less far than the window is long; a longer horizon, or a shorter window`;
    problems.push({ path: textPath, message });
  }
  if (source.feature !== 'points' && source.feature !== 'fading') return [checked];
  if (weight !== undefined) return [{ ...checked, weight }];
  const message = `${written.of} adds up the weight of the rule, which has none; write weight: affected`;
  problems.push({ path: textPath, message });
  return [];
}

/** What fades has no other window: `within` says nothing to it. */
function spanOf({ feature, timeMs }: NumberSource, withinMs: number): number {
  return feature === 'fading' ? timeMs! * HALF_LIVES_KEPT : withinMs;
}

/** Such a filter lets all pass: with it a measure is the same as without. */
function isEmptyMatch(match: Match): boolean {
  return !Array.isArray(match) && Object.keys(match).length === 0;
}

/** ms; Infinity for the life of the session. */
export function windowOf(within: string, path: RuleProblem['path'], problems: RuleProblem[]): number {
  if (within === 'session') return Number.POSITIVE_INFINITY;
  const withinMs = parseDuration(within);
  if (withinMs < SHORTEST_WINDOW_MS || withinMs > LONGEST_WINDOW_MS) {
    problems.push({ path, message: `a window is 1s to 30d long, or "session"; found ${within}` });
  }
  return withinMs;
}

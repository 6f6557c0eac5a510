import { parseDuration } from '../../domain/duration.ts';
import type { Match } from '../../domain/match.ts';
import type { Measure } from '../../domain/rule.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { compileSteps } from '../sequence/compile.ts';
import { type MeasureSource, parseMeasure } from './measure.ts';

/** A measure of a rule with everything that text can get wrong settled. */
export interface CheckedMeasure {
  name: string;
  source: MeasureSource;
  /** Length of the window, ms; Infinity for the life of the session. */
  withinMs: number;
  /** What an action must pass beside the rule's match; absent where that is all. */
  own: { match: Match; test: EventTest } | undefined;
}

const SHORTEST_WINDOW_MS = 1000;
const LONGEST_WINDOW_MS = 30 * 86_400_000;

/** Checks one measure of a rule whose window is `withinMs`; empty where its text says nothing that can be measured. */
export function checkMeasure(
  name: string,
  measure: Measure,
  withinMs: number,
  problems: RuleProblem[],
): CheckedMeasure[] {
  const path = ['measure', name];
  if (typeof measure === 'string') {
    const parsed = parseMeasure(measure);
    if ('source' in parsed) return [{ name, source: parsed.source, withinMs, own: undefined }];
    problems.push({ path, message: parsed.problem });
    return [];
  }
  if (!('of' in measure)) {
    const plan = compileSteps(measure, withinMs, path, problems);
    return [{ name, source: { feature: 'steps', plan, reading: 'total' }, withinMs, own: undefined }];
  }
  const parsed = parseMeasure(measure.of);
  if ('problem' in parsed) problems.push({ path: [...path, 'of'], message: parsed.problem });
  const { match, within } = measure;
  const test = match && compileMatch(match, problems, [...path, 'match']).test;
  const ownWithinMs = within === undefined ? withinMs : windowOf(within, [...path, 'within'], problems);
  if ('problem' in parsed) return [];
  const own = match !== undefined && test !== undefined && !isEmptyMatch(match) ? { match, test } : undefined;
  return [{ name, source: parsed.source, withinMs: ownWithinMs, own }];
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

import { createHash } from 'node:crypto';
import type { Baseline } from '../../domain/baseline.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Rule } from '../../domain/rule.ts';
import type { Value } from '../expression/term.ts';
import type { RuleNames } from './names.ts';

const QUANTILE = /^(.+)\.p(\d{1,2}(?:\.\d{1,3})?)$/;

/** A number of a baseline that can be learned. */
export interface Quantile {
  /** After `baseline.`, such as `deletes.p99`. */
  name: string;
  measure: string;
  /** Of the sessions that stay at or below it, 0 to 1. */
  share: number;
}

/**
 * The names that `firebreak learn` finds a number for: `MEASURE.p99` is what 99 of 100 benign sessions of the cohort never
 * exceed with that measure. Any other name stays what the rule says.
 */
export function quantilesOf({ baselineDefaults }: Pick<Rule, 'baselineDefaults'>): Quantile[] {
  return Object.keys(baselineDefaults).flatMap((name) => {
    const found = QUANTILE.exec(name);
    return found === null ? [] : [{ name, measure: found[1]!, share: Number(found[2]) / 100 }];
  });
}

/** Digest of everything that makes its measures what they are; bounds, texts and mode may change without learning anew. */
export function numbersMeaning({ match, within, measure, weight }: Rule): string {
  const text = canonicalJson({ match, within, measure, ...(weight === undefined ? {} : { weight }) });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * What a rule's values are for a cohort before anything is measured, where numbers were learned. A session of a cohort
 * that was not learned has those of all sessions, and a number that was not learned is the rule's default.
 */
export type LearnedValues = ReadonlyMap<string, readonly Value[]>;

export function learnedValues(
  rule: Rule,
  { names, blank }: { names: RuleNames; blank: readonly Value[] },
  baseline: Baseline | undefined,
): LearnedValues | undefined {
  const learned = baseline?.rules?.[rule.id];
  if (learned?.meaning !== numbersMeaning(rule)) return undefined;
  const all = learned.cohorts[''] ?? {};
  const values = Object.entries({ '': all, ...learned.cohorts }).map(([cohort, numbers]) => {
    const own = blank.slice();
    for (const [at, { name }] of names.baseline.entries()) {
      const number = numbers[name] ?? all[name];
      if (number !== undefined) own[names.measures.length + at] = number;
    }
    return [cohort, own] as const;
  });
  return new Map(values);
}

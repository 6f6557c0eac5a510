import type { TailMap } from '../domain/baseline.ts';

/** A fitted map, from n sessions, k of them above u. */
export interface FittedTail extends TailMap {
  n: number;
  k: number;
}

const TAIL_SHARE = 0.05;
const SMALLEST_U = 0.2;
/** Above this many the cut may move down the list past values that say nothing. */
const CUT_KEPT = 20;
const IDLE_VALUE = 0.05;
/** Shrinkage of the tail's rate: so many excesses beforehand, at this rate. */
const PRIOR_COUNT = 10;
const PRIOR_RATE = 0.7;

/**
 * Fits how rare the largest value of one stream in a session is, from finished benign sessions: the 95 % quantile, and
 * beyond it an exponential tail whose rate is shrunk (Hill). Source: scoring reference, section 5.
 */
export function fitTail(suprema: readonly number[]): FittedTail {
  const sorted = suprema.map((value) => Math.max(0, value)).sort((a, b) => b - a);
  const n = sorted.length;
  let cut = Math.floor(TAIL_SHARE * n);
  while (cut > CUT_KEPT && sorted[cut]! <= IDLE_VALUE) cut--;
  const u = Math.max(sorted[cut] ?? 0, SMALLEST_U);
  let k = 0;
  let above = 0;
  for (const value of sorted) {
    if (value <= u) break;
    k++;
    above += value - u;
  }
  const lpu = -Math.log((k + 1) / (n + 1));
  return { u, lpu, eta: (PRIOR_COUNT + k) / (PRIOR_COUNT / PRIOR_RATE + above), n, k };
}

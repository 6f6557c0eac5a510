import { EFFECT_SIZES, EFFECT_WEIGHTS, LN_EFFECT_SIZES } from './level.ts';

/** Beyond this a sum is held: 10^280 to one is past every budget, and a product of it is still finite. */
const LARGEST = 1e280;

/** One marked event as the stream `shift` sees it. */
export interface ShiftStep {
  /** Ordinal of the marked event in the session, from 1. */
  j: number;
  /** Effective mark x / phi. */
  x: number;
  /** Effective exposure since the marked event before. */
  de: number;
  /** Effective count and expected count before this event. */
  n: number;
  e: number;
  /** Shape of the rates between sessions; finite. */
  a: number;
}

/**
 * Evidence that the session changed at some marked event to a higher rate than its *own* before: sleepers, banked
 * credit, a session that was taken over. Each j gets the weight 1 / (j (j + 1)) beforehand, together 1:
 *
 *   marked event      1     2     3     4  …
 *   a change at 1     ├─────────────────────►  R holds all that have begun, one sum for each effect size
 *   a change at 2           ├───────────────►
 *   not begun yet                       1/(j+1)
 *
 * `ratios` are the four sums, linear, 0 at the start; they are changed in place. Answers ln E in nats.
 */
export function advanceShift(ratios: number[], { j, x, de, n, e, a }: ShiftStep): number {
  const begun = 1 / (j * (j + 1));
  const tail = a + n + x;
  const share = de / (a + e + de);
  let sum = 1 / (j + 1);
  for (let k = 0; k < EFFECT_SIZES.length; k++) {
    const factor = Math.exp(x * LN_EFFECT_SIZES[k]! - tail * Math.log1p((EFFECT_SIZES[k]! - 1) * share));
    const ratio = Math.min((ratios[k]! + begun) * factor, LARGEST);
    ratios[k] = ratio;
    sum += EFFECT_WEIGHTS[k]! * ratio;
  }
  return Math.log(sum);
}

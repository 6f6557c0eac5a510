/**
 * Effect sizes: how many times its cohort's rate a session may run at, with what we believe of each beforehand. Four
 * of them find what seven find (scoring reference, section 11.4).
 */
export const EFFECT_SIZES = [2, 5, 15, 100] as const;
export const EFFECT_WEIGHTS = [0.3, 0.3, 0.25, 0.15] as const;
export const LN_EFFECT_SIZES = EFFECT_SIZES.map(Math.log) as readonly number[];

/** A term so many nats below the largest is less than 1e-17 of it: its exp is not worth the time. */
const NEGLIGIBLE = 40;

/**
 * ln of the likelihood ratio "this session runs at `rho` times its cohort's rate" against "at that rate", for a
 * Gamma-Poisson count. In nats.
 *
 * @param n effective count N / phi
 * @param e effective expected count mu T / phi
 * @param a shape of the rates between sessions; Infinity is the Poisson limit
 */
export function logRatio(n: number, e: number, a: number, rho: number): number {
  if (a === Number.POSITIVE_INFINITY) return n * Math.log(rho) - (rho - 1) * e;
  return n * Math.log(rho) - (a + n) * Math.log1p(((rho - 1) * e) / (a + e));
}

/** The ratio mixed over the effect sizes, ln, in nats: what the streams `volume` and `rate` say. `a` is finite. */
export function logLevel(n: number, e: number, a: number): number {
  const share = e / (a + e);
  const tail = a + n;
  // Log-sum-exp with the running largest: in a quiet session the large effect sizes cost no exp.
  let largest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let k = 0; k < EFFECT_SIZES.length; k++) {
    const exponent = n * LN_EFFECT_SIZES[k]! - tail * Math.log1p((EFFECT_SIZES[k]! - 1) * share);
    const above = exponent - largest;
    if (above < -NEGLIGIBLE) continue;
    if (above > 0) {
      sum = above > NEGLIGIBLE ? EFFECT_WEIGHTS[k]! : sum * Math.exp(-above) + EFFECT_WEIGHTS[k]!;
      largest = exponent;
    } else sum += EFFECT_WEIGHTS[k]! * Math.exp(above);
  }
  return largest + Math.log(sum);
}

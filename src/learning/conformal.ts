import type { Confidence, Grade } from '../domain/baseline.ts';

export interface Threshold {
  /** Act if and only if evidence > c. Nats; Infinity where nothing can be said. */
  c: number;
  /** The rank that c stands at; 0 where the sessions are too few to certify. */
  r: number;
  n: number;
  grade: Grade;
}

const DELTA = 0.05;
const EXTRAPOLATION_Z = 1.645;

/**
 * The threshold that at most a share `alpha` of benign sessions ever crosses, from the largest evidence of each of n
 * benign sessions. Holds for any statistic and whenever somebody looks, because what is calibrated *is* the maximum
 * over the session; it assumes that new benign sessions come from where those came.
 *
 *   scores, falling   9.1  8.7  8.2 │ 7.9  7.7 …        r = 3: c = 8.2, two of n lie above it
 *                                 c ┘
 *
 * Too few for that (r = 0): the tail is extrapolated, which is no certificate; fewer still: no threshold.
 * Source: scoring reference, section 7.
 */
export function conformalThreshold(scores: readonly number[], alpha: number, confidence: Confidence): Threshold {
  const falling = [...scores].sort((a, b) => b - a);
  const n = falling.length;
  const r = rankOf(n, alpha, confidence);
  if (r >= 1) {
    return { c: falling[r - 1]!, r, n, grade: confidence === 'pac95' ? 'conformal-pac' : 'conformal' };
  }
  const k = Math.max(10, Math.floor(0.05 * n));
  if (n <= k) return { c: Number.POSITIVE_INFINITY, r: 0, n, grade: 'insufficient' };
  return { c: extrapolated(falling, k, alpha), r: 0, n, grade: 'extrapolated' };
}

/** The smallest number of sessions that certifies `alpha`. */
export function minimumSample(alpha: number, confidence: Confidence): number {
  let [low, high] = [0, 1];
  while (rankOf(high, alpha, confidence) < 1) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rankOf(middle, alpha, confidence) >= 1) high = middle;
    else low = middle;
  }
  return high;
}

function rankOf(n: number, alpha: number, confidence: Confidence): number {
  const marginal = Math.floor(alpha * (n + 1) + 1e-12);
  if (confidence === 'marginal') return marginal;
  // P(Bin <= r - 1) rises with r, and at the marginal rank it is far above delta.
  let r = 0;
  while (r < marginal + 1 && binomialCdf(r, n, alpha) <= DELTA) r++;
  return r;
}

function extrapolated(falling: readonly number[], k: number, alpha: number): number {
  const u = falling[k]!;
  const above = falling.slice(0, k).reduce((sum, value) => sum + (value - u), 0);
  if (above === 0) return u;
  if (above === Number.POSITIVE_INFINITY) return above; // a benign session that was stopped: no tail to extrapolate
  const eta = (k / above) * (1 - EXTRAPOLATION_Z / Math.sqrt(k));
  return u + Math.max(0, Math.log((k + 1) / (falling.length + 1) / alpha)) / eta;
}

/** P(Bin(n, p) <= k), summed in logarithms from the largest term's side. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k >= n) return 1;
  const odds = Math.log(p) - Math.log1p(-p);
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + odds;
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

import { type DriftState, driftOf } from '../../domain/drift.ts';

const EXPONENTS = [0.2, 0.4, 0.6, 0.8] as const;
/** Alarm above this: under no drift it is ever crossed with a probability of at most 1 in 1000. */
export const DRIFT_ALARM = Math.log(1000);

/**
 * Watches whether finished sessions still come from where the calibration came: a conformal test martingale over their
 * p-values, upward and downward. It grows while sessions reach higher (or lower) than they should.
 * Source: scoring reference, section 9.
 */
export interface DriftMonitor {
  high: number[];
  low: number[];
}

export const NO_DRIFT: Readonly<DriftMonitor> = { high: [0, 0, 0, 0], low: [0, 0, 0, 0] };

export function watchDrift(monitor: Readonly<DriftMonitor>, p: ConformalP): DriftMonitor {
  return { high: bet(monitor.high, p.high), low: bet(monitor.low, p.low) };
}

/** ln of the wealth. Compare with DRIFT_ALARM. */
export function driftEvidence({ high, low }: DriftMonitor): number {
  const all = [...high, ...low];
  const largest = Math.max(...all);
  return largest + Math.log(all.reduce((sum, value) => sum + Math.exp(value - largest), 0) / all.length);
}

function bet(sums: readonly number[], p: number): number[] {
  return sums.map((sum, i) => sum + Math.log(EXPONENTS[i]!) + (EXPONENTS[i]! - 1) * Math.log(p));
}

/** The share of benign sessions that reach at least this far, and at most this far, with the new one among them. */
export interface ConformalP {
  high: number;
  low: number;
}

/** `falling`: what the calibrating sessions reached, the largest first. */
export function conformalP(falling: readonly number[], evidence: number): ConformalP {
  const n = falling.length;
  const atLeast = before(falling, (score) => score >= evidence);
  const above = before(falling, (score) => score > evidence);
  return { high: (1 + atLeast) / (n + 1), low: (1 + n - above) / (n + 1) };
}

/** How many scores at the front hold a condition that all smaller ones do not. */
function before(falling: readonly number[], holds: (score: number) => boolean): number {
  let [low, high] = [0, falling.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(falling[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What finished sessions are compared with. */
interface Compared {
  /** Of the baseline. */
  hash: string;
  reached: readonly number[];
}

/** The monitor under a policy: it begins again with each baseline, whose sessions it compares with. */
export function driftUnder(
  before: DriftState | undefined,
  evidence: Compared | undefined,
  nowMs: number,
): DriftState | undefined {
  if (evidence === undefined || evidence.reached.length === 0) return undefined;
  return before?.baseline === evidence.hash ? before : driftOf(evidence.hash, nowMs);
}

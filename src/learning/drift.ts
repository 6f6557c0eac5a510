const EXPONENTS = [0.2, 0.4, 0.6, 0.8] as const;
/** Alarm above this: under no drift it is ever crossed with a probability of at most 1 in 1000. */
export const DRIFT_ALARM = Math.log(1000);

/**
 * Watches whether finished sessions still come from where the calibration came: a conformal test martingale over their
 * p-values, upward and downward. It grows while sessions reach higher (or lower) than they should.
 * Source: scoring reference, section 9.
 */
export interface DriftMonitor {
  readonly high: readonly number[];
  readonly low: readonly number[];
}

export const NO_DRIFT: DriftMonitor = { high: [0, 0, 0, 0], low: [0, 0, 0, 0] };

export function watchDrift(monitor: DriftMonitor, p: { high: number; low: number }): DriftMonitor {
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

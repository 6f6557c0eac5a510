import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ClockModel, Stream, TailMap } from '../../src/domain/baseline.ts';
import type { ShiftStep } from '../../src/engine/evidence/change-point.ts';
import type { CohortSums } from '../../src/learning/sums.ts';

type Case<In, Out> = { in: In; out: Out };
type Thresholds = { observe: number; pause: number; kill: number };
/** A list of numbers, or by formula. */
type Scores = number[] | { count: number; divideBy?: number; exponential?: boolean };
export type Rows = { N: number; T: number; W: number; WW: number }[] | Record<'N' | 'T' | 'W' | 'WW', string>;

/** The vectors of the scoring reference; `readme` in the file says what each means. */
interface Vectors {
  constants: {
    effectSizes: number[];
    effectWeights: number[];
    streams: string[];
    observeExit: number;
    driftAlarm: number;
  };
  lnLR: Case<{ n: number; e: number; a: number; rho: number }, number>[];
  lnLevel: Case<{ n: number; e: number; a: number }, number>[];
  shift: { steps: (Case<ShiftStep, number> & { lnR: number[] })[] }[];
  standardise: Case<{ map: TailMap; x: number }, number>[];
  fitMap: Case<{ sups: Scores }, TailMap & { n: number; k: number }>[];
  fitCohorts: {
    in: { rows: Record<string, Rows> };
    sums: Record<string, CohortSums>;
    out: { global: object; cohorts: object };
  }[];
  binomialCdf: Case<{ k: number; n: number; p: number }, number>[];
  conformalThreshold: Case<
    { scores: Scores; alpha: number; delta: number | null },
    { c: number; r: number; n: number; grade: string; eta?: number }
  >[];
  minimumSample: { alpha: number; delta: number | null; minimum: number }[];
  conformalP: { in: { scores: number[]; A: number }; pHi: number; pLo: number }[];
  drift: { steps: { in: { pHi: number; pLo: number }; lnM: number }[] }[];
  risk: { thresholds: Thresholds; cases: { A: number; risk: number }[] }[];
  levels: { thresholds: Thresholds; steps: { A: number; ack: boolean; level: string; risk: number }[] }[];
  session: SessionVector[];
}

export interface SessionVector {
  features: {
    events: ClockModel;
    active: ClockModel;
    maps: Record<Stream, TailMap>;
    shares: Record<Stream, number>;
  }[];
  steps: {
    atMs: number;
    touches: { feature: number; mark: number }[];
    out: {
      A: number;
      sup: number;
      top: { feature: number; stream: Stream } | null;
      events: number;
      activeHours: number;
      touched: {
        feature: number;
        effective: number;
        streams: Record<Stream, number>;
        exposurePart: number;
        markPart: number;
      }[];
    };
  }[];
  finalState: {
    events: number;
    activeHours: number;
    features: {
      N: number;
      markedEvents: number;
      burstIndex: number;
      burstMass: number;
      eventsAtLastMark: number;
      lnR: number[];
    }[];
  };
  refreshedA: number;
}

/** Infinite numbers are texts in the file, because JSON has none. */
const INFINITE: Record<string, number> = { Infinity: Number.POSITIVE_INFINITY, '-Infinity': Number.NEGATIVE_INFINITY };

export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('scoring.json', import.meta.url), 'utf8'),
  (_, value) => (typeof value === 'string' ? (INFINITE[value] ?? value) : value),
);

/** Numbers within 1e-9 of their size (at least of 1), all else equal; what `got` has beyond `want` is not looked at. */
export function expectClose(got: unknown, want: unknown, at = 'result'): void {
  if (typeof want === 'number') {
    const near = typeof got === 'number' && Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want));
    expect(near || got === want, `${at}: got ${got}, want ${want}`).toBe(true);
  } else if (typeof want === 'object' && want !== null) {
    const fields = got as Record<string, unknown>;
    for (const [key, value] of Object.entries(want)) expectClose(fields[key], value, `${at}.${key}`);
  } else expect(got, at).toBe(want);
}

export function scoresOf(from: Scores): number[] {
  if (Array.isArray(from)) return from;
  const { count, divideBy, exponential } = from;
  return Array.from({ length: count }, (_, i) => (exponential ? -Math.log((i + 0.5) / count) : i / divideBy!));
}

/** Rows as they are, or by integer formulas in i: the vectors' own texts. */
export function rowsOf(rows: Rows): { N: number; T: number; W: number; WW: number }[] {
  if (Array.isArray(rows)) return rows;
  const { count, N, T, W, WW } = rows as unknown as Record<'N' | 'T' | 'W' | 'WW', string> & { count: number };
  const row = new Function('i', `return { N: ${N}, T: ${T}, W: ${W}, WW: ${WW} }`);
  return Array.from({ length: count }, (_, i) => row(i));
}

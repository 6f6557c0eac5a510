import type { ClockModel } from '../domain/baseline.ts';
import { type CohortSums, merged, NO_SESSIONS } from './sums.ts';

/** Parameters of a cohort, and of how many sessions. */
export interface FittedClock extends ClockModel {
  n: number;
}

export interface Fit<K> {
  /** For a cohort that nobody has seen. */
  global: FittedClock;
  cohorts: Map<K, FittedClock>;
}

/** A cohort with fewer sessions says nothing of how cohorts differ. */
const BIG_COHORT = 30;
/** Prior weights of the shrinkage: of dispersion in burst mass, of shape in sessions. */
const DISPERSION_MASS = 30;
const SHAPE_SESSIONS = 50;

/**
 * Fits rate, dispersion and shape of one feature on one clock, by moments, for all cohorts together and for each, with
 * empirical-Bayes shrinkage towards all of them. What is not known widens the null: a new role starts near the global
 * rate with a small shape, so that evidence is slow exactly while little is known.
 *
 * Source: scoring reference, section 6.
 */
export function fitCohorts<K>(sums: ReadonlyMap<K, CohortSums>): Fit<K> {
  const all = [...sums.values()].reduce(merged, NO_SESSIONS);
  const mu = Math.max(all.N, 0.5) / all.T;
  const phi = all.W === 0 ? 1 : all.WW / all.W;
  const big = [...sums.values()].filter(({ n }) => n >= BIG_COHORT);
  const h = shapeWithin(big, phi);

  /** Squared coefficient of variation of a cohort's mean rate, were it the global one. */
  const varianceOf = (s: CohortSums, p: number): number => (p * mu * s.T + h * mu * mu * s.TT) / (s.T * s.T * mu * mu);
  const spread = big.map((s) => (s.N / s.T / mu - 1) ** 2 - varianceOf(s, phi));
  const between = Math.max(0.1, spread.length === 0 ? 1 : mean(spread));
  const wide = Math.min(4, between);
  const global = { mu, phi, a: 1 / (h + wide * (1 + h)), n: all.n };

  const cohorts = new Map<K, FittedClock>();
  for (const [key, s] of sums) {
    if (s.n === 0) continue;
    const p = (DISPERSION_MASS * phi * phi + s.WW) / (DISPERSION_MASS * phi + s.W);
    const v = varianceOf(s, p);
    const trust = between / (between + v);
    const m = (1 - trust) * mu + (trust * s.N) / s.T;
    const unsure = Math.min(4, ((between * v) / (between + v)) * (mu / m) ** 2);
    const raw = s.N === 0 ? h : clip(excess(s, m, p) / s.TT, 0.02, 8);
    const inverse = (SHAPE_SESSIONS * h + s.n * raw) / (SHAPE_SESSIONS + s.n);
    cohorts.set(key, { mu: m, phi: p, a: 1 / (inverse + unsure * (1 + inverse)), n: s.n });
  }
  return { global, cohorts };
}

/** 1 / a between the sessions of one cohort, over all big ones. */
function shapeWithin(big: readonly CohortSums[], phi: number): number {
  const seen = big.filter(({ N }) => N > 0);
  if (seen.length === 0) return 1;
  const above = seen.reduce((sum, s) => sum + excess(s, s.N / s.T, phi), 0);
  const square = seen.reduce((sum, { TT }) => sum + TT, 0);
  return clip(above / square, 0.05, 5);
}

/** Variance beyond what a Poisson count of rate m and dispersion p has, in units of m squared. */
function excess({ NN, NT, TT, T }: CohortSums, m: number, p: number): number {
  return (NN - 2 * m * NT + m * m * TT - p * m * T) / (m * m);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

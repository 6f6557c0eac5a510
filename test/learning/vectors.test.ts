import { describe, expect, it } from 'vitest';
import { conformalP, DRIFT_ALARM, driftEvidence, NO_DRIFT, watchDrift } from '../../src/engine/evidence/drift.ts';
import { binomialCdf, conformalThreshold, minimumSample } from '../../src/learning/conformal.ts';
import { fitCohorts } from '../../src/learning/fit.ts';
import { type CohortSums, merged, NO_SESSIONS, sumsOf } from '../../src/learning/sums.ts';
import { fitTail } from '../../src/learning/tail.ts';
import { expectClose, rowsOf, scoresOf, vectors } from '../vectors/scoring.ts';

describe('learning, by the vectors of the scoring reference', () => {
  it('sums rows and fits cohorts', () => {
    for (const {
      in: { rows: given },
      sums: want,
      out,
    } of vectors.fitCohorts) {
      const sums = new Map<string, CohortSums>();
      for (const [cohort, rows] of Object.entries(given)) {
        sums.set(cohort, rowsOf(rows).map(sumsOf).reduce(merged, NO_SESSIONS));
      }
      expectClose(Object.fromEntries(sums), want, 'sums');
      const fit = fitCohorts(sums);
      expectClose(fit.global, out.global, 'global');
      expectClose(Object.fromEntries(fit.cohorts), out.cohorts, 'cohorts');
    }
  });

  it.each(vectors.fitMap)('fits a tail map, $out', ({ in: { sups }, out }) => {
    expectClose(fitTail(scoresOf(sups)), out);
  });

  it.each(vectors.conformalThreshold)('a threshold with its grade, $out', ({ in: { scores, alpha, delta }, out }) => {
    const { eta: _, ...want } = out;
    expectClose(conformalThreshold(scoresOf(scores), alpha, delta === null ? 'marginal' : 'pac95'), want);
  });

  it.each(vectors.minimumSample)('the fewest sessions, $minimum', ({ alpha, delta, minimum }) => {
    expect(minimumSample(alpha, delta === null ? 'marginal' : 'pac95')).toBe(minimum);
  });

  it.each(vectors.binomialCdf)('the binomial distribution, $in', ({ in: { k, n, p }, out }) => {
    expectClose(binomialCdf(k, n, p), out);
  });

  it.each(vectors.conformalP)('p-values of a session, $in', ({ in: { scores, A }, pHi, pLo }) => {
    expectClose(
      conformalP(
        [...scores].sort((a, b) => b - a),
        A,
      ),
      { high: pHi, low: pLo },
    );
  });

  it('the drift monitor', () => {
    expect(DRIFT_ALARM).toBe(Math.log(vectors.constants.driftAlarm));
    for (const { steps } of vectors.drift) {
      let monitor = NO_DRIFT;
      for (const { in: p, lnM } of steps) {
        monitor = watchDrift(monitor, { high: p.pHi, low: p.pLo });
        expectClose(driftEvidence(monitor), lnM);
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { STREAMS } from '../../../src/domain/baseline.ts';
import type { Condition } from '../../../src/domain/level.ts';
import { advanceShift } from '../../../src/engine/evidence/change-point.ts';
import { type FeatureModel, partsOf } from '../../../src/engine/evidence/feature-evidence.ts';
import { EFFECT_SIZES, EFFECT_WEIGHTS, logLevel, logRatio } from '../../../src/engine/evidence/level.ts';
import { SessionEvidence } from '../../../src/engine/evidence/session-evidence.ts';
import { standardise } from '../../../src/engine/evidence/standardise.ts';
import {
  conditionOf,
  type EvidenceThresholds,
  riskOf,
  WATCH_LEFT_BELOW,
} from '../../../src/engine/evidence/thresholds.ts';
import { ByteReader, ByteWriter } from '../../../src/engine/session/bytes.ts';
import { expectClose, type SessionVector, vectors } from '../../vectors/scoring.ts';

describe('the equations of the scoring reference', () => {
  it('use its constants', () => {
    expect(EFFECT_SIZES).toEqual(vectors.constants.effectSizes);
    expect(EFFECT_WEIGHTS).toEqual(vectors.constants.effectWeights);
    expect(STREAMS).toEqual(vectors.constants.streams);
    expect(WATCH_LEFT_BELOW).toBe(vectors.constants.observeExit);
  });

  it.each(vectors.lnLR)('ratio of one effect size, $in', ({ in: { n, e, a, rho }, out }) => {
    expectClose(logRatio(n, e, a, rho), out);
  });

  it.each(vectors.lnLevel)('ratio over all effect sizes, $in', ({ in: { n, e, a }, out }) => {
    expectClose(logLevel(n, e, a), out);
  });

  it('the change-point stream, step by step', () => {
    for (const { steps } of vectors.shift) {
      const ratios = [0, 0, 0, 0];
      for (const step of steps) {
        expectClose(advanceShift(ratios, step.in), step.out);
        expectClose(ratios.map(Math.log), step.lnR);
      }
    }
  });

  it.each(vectors.standardise)('a stream on its tail map, $in', ({ in: { map, x }, out }) => {
    expectClose(standardise(map, x), out);
  });

  it('risk of evidence', () => {
    for (const { thresholds, cases } of vectors.risk) {
      for (const { A, risk } of cases) expectClose(riskOf(A, ours(thresholds)), risk);
    }
  });

  it('levels with releases between them', () => {
    for (const { thresholds, steps } of vectors.levels) {
      const model = levelModel(ours(thresholds));
      for (const { A, ack, level } of steps) expect(model(A, ack)).toBe(level);
    }
  });
});

describe('the evidence of whole sessions', () => {
  it.each(vectors.session)('every number of every step, also after its state was stored and read back', (vector) => {
    const model = vector.features.map(modelOf);
    let session = new SessionEvidence();
    for (const { atMs, touches, out } of vector.steps) {
      session = stored(session);
      const contributions = session.observe(model, atMs, touches);
      const cause = session.cause(model);
      expectClose(cause?.evidence ?? 0, out.A, 'A');
      expectClose(session.highest, out.sup, 'sup');
      expect(cause === undefined ? null : { feature: cause.feature, stream: cause.stream }).toEqual(out.top);
      expectClose(session, { events: out.events, activeHours: out.activeHours });
      expect(contributions).toHaveLength(out.touched.length);
      out.touched.forEach(({ feature, streams, effective, exposurePart, markPart }, at) => {
        expectClose(contributions[at]!.effective, effective);
        expectClose(partsOf(contributions[at]!), { exposure: exposurePart, mark: markPart });
        expectClose(
          session.features.get(feature)!.streams,
          STREAMS.map((stream) => streams[stream]),
        );
      });
    }
    expectClose(session.refreshedCause(model)?.evidence, vector.refreshedA);
    const { events, activeHours, features } = vector.finalState;
    expectClose(session, { events, activeHours });
    features.forEach(({ N, lnR, ...rest }, at) => {
      const feature = session.features.get(at)!;
      expectClose(feature, { count: N, ...rest });
      expectClose(feature.ratios.map(Math.log), lnR);
    });
  });

  it('add up: the parts of all steps are the volume stream', () => {
    for (const vector of vectors.session) {
      const model = vector.features.map(modelOf);
      const session = new SessionEvidence();
      const sums = model.map(() => 0);
      for (const { atMs, touches } of vector.steps) {
        session.observe(model, atMs, touches).forEach((contribution, at) => {
          const { exposure, mark } = partsOf(contribution);
          sums[touches[at]!.feature]! += exposure + mark;
        });
      }
      for (const [feature, sum] of sums.entries()) expectClose(session.features.get(feature)!.streams[0], sum);
    }
  });
});

function modelOf({ events, active, maps, shares }: SessionVector['features'][number], id: number): FeatureModel {
  return {
    id,
    events,
    active,
    maps: STREAMS.map((stream) => maps[stream]),
    lnShares: STREAMS.map((stream) => Math.log(shares[stream])),
  };
}

function stored(session: SessionEvidence): SessionEvidence {
  const to = new ByteWriter();
  session.write(to);
  return SessionEvidence.read(new ByteReader(to.finish()));
}

function ours(of: { observe: number; pause: number; kill: number }): EvidenceThresholds {
  return { watch: of.observe, pause: of.pause, kill: of.kill };
}

/** The levels of the reference: absorbing kill, a pause that only a release ends, `watch` left below a risk. */
function levelModel(thresholds: EvidenceThresholds): (evidence: number, ack: boolean) => string {
  let level = 'ok';
  let accepted = Number.NEGATIVE_INFINITY;
  let everReleased = false;
  return (evidence, ack) => {
    const condition: Condition | undefined = conditionOf(evidence, thresholds, ack ? evidence : accepted);
    if (level === 'kill' || condition === 'kill') level = 'kill';
    else if (ack) {
      level = 'observe';
      accepted = evidence;
      everReleased = true;
    } else if (level === 'pause' || condition === 'pause') level = 'pause';
    else if (condition === 'watch' || everReleased) level = 'observe';
    else if (level === 'observe' && riskOf(evidence, thresholds) >= WATCH_LEFT_BELOW) level = 'observe';
    else level = 'ok';
    return level;
  };
}

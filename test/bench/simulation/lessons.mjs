import { STREAMS } from '../../../dist/domain/baseline.js';
import { SessionEvidence } from '../../../dist/engine/evidence/session-evidence.js';
import { fitCohorts } from '../../../dist/learning/fit.js';
import { merged, NO_SESSIONS, sumsOf } from '../../../dist/learning/sums.js';
import { fitTail } from '../../../dist/learning/tail.js';
import { FEATURES } from './world.mjs';

/**
 * What every method may know: learned from benign sessions, with the project's own sums, fits and tails. `effective`: marks
 * after de-bursting, `raw`: as they come.
 */

const FLAT = { u: 1, lpu: 1, eta: 1 };
const NEUTRAL = modelsOf(
  () => ({ mu: 1, phi: 1, a: 1 }),
  () => STREAMS.map(() => FLAT),
  STREAMS.map(() => 0),
);
const MOMENT_HOURS = 1 / 3600;
const NOTHING = [];

export function modelsOf(clockOf, mapsOf, lnShares) {
  return FEATURES.map((_, id) => ({
    id,
    events: clockOf(id, 'events'),
    active: clockOf(id, 'active'),
    maps: mapsOf(id),
    lnShares,
  }));
}

/** Lets the engine's own evidence see a session. `visit` hears of each event, with the place of the event. */
export function attend(models, session, visit = () => {}) {
  const evidence = new SessionEvidence();
  const { times, features, marks } = session;
  for (let at = 0; at < times.length; at++) {
    const feature = features[at];
    const touches = feature < 0 ? NOTHING : [{ feature, mark: marks[at] }];
    const [contribution] = evidence.observe(models, times[at], touches);
    visit(at, feature, evidence, contribution);
  }
  return evidence;
}

/**
 * Parameters of each cohort and feature on both clocks, of marks as they come and after de-bursting. `by`: what names the
 * cohort of a session.
 */
export function learnParameters(sessions, by = 'key') {
  const sums = { effective: grid(), raw: grid() };
  for (const session of sessions) {
    const rows = FEATURES.map(() => ({ N: 0, WW: 0, burst: 0, raw: 0 }));
    const evidence = attend(NEUTRAL, session, (at, feature, evidence, contribution) => {
      if (feature < 0) return;
      const row = rows[feature];
      if (evidence.feature(feature).burstIndex === 1) {
        row.WW += row.burst ** 2;
        row.burst = 0;
      }
      row.burst += contribution.effective;
      row.N += contribution.effective;
      row.raw += session.marks[at];
    });
    const exposure = { events: evidence.events, active: Math.max(evidence.activeHours, MOMENT_HOURS) };
    for (const [feature, { N, WW, burst, raw }] of rows.entries()) {
      for (const clock of ['events', 'active']) {
        const T = exposure[clock];
        add(sums.effective[feature][clock], session.cohort[by], { N, W: N, WW: WW + burst ** 2, T });
        add(sums.raw[feature][clock], session.cohort[by], { N: raw, W: raw, WW: raw, T });
      }
    }
  }
  const fits = { effective: fitted(sums.effective), raw: fitted(sums.raw) };
  /** Of a cohort that was not seen: that of all. */
  return (kind, cohort) => (feature, clock) => {
    const { cohorts, global } = fits[kind][feature][clock];
    const { mu, phi, a } = cohorts.get(cohort[by]) ?? global;
    return { mu, phi, a };
  };
}

function grid() {
  return FEATURES.map(() => ({ events: new Map(), active: new Map() }));
}

function add(sums, key, row) {
  sums.set(key, merged(sums.get(key) ?? NO_SESSIONS, sumsOf(row)));
}

function fitted(sums) {
  return sums.map(({ events, active }) => ({ events: fitCohorts(events), active: fitCohorts(active) }));
}

/** How far each stream of each feature reaches in benign sessions. */
export function learnTails(parameters, sessions) {
  const reached = FEATURES.map(() => STREAMS.map(() => []));
  for (const session of sessions) {
    const models = modelsOf(
      parameters('effective', session.cohort),
      () => STREAMS.map(() => FLAT),
      STREAMS.map(() => 0),
    );
    const largest = FEATURES.map(() => STREAMS.map(() => 0));
    attend(models, session, (_, feature, evidence) => {
      if (feature < 0) return;
      for (const [stream, value] of evidence.feature(feature).streams.entries())
        largest[feature][stream] = Math.max(largest[feature][stream], value);
    });
    for (const [feature, streams] of largest.entries())
      for (const [stream, value] of streams.entries()) reached[feature][stream].push(value);
  }
  return reached.map((streams) => streams.map(fitTail));
}

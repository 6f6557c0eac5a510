import { standardise } from '../../../dist/engine/evidence/standardise.js';
import { quantile } from '../../../dist/learning/quantile.js';
import { fitTail } from '../../../dist/learning/tail.js';
import { attend, learnTails, modelsOf } from './lessons.mjs';
import { FEATURES, HOUR_MS } from './world.mjs';

/**
 * The recommended design, and what others do. Each method is a family of variants; the best one of a family is picked in
 * hindsight, which favours the comparators. A variant, made for one learned world, answers the largest score of a session and
 * lets `visit` hear the score after each event. Source: scoring reference, sections 11.1 and 11.6.
 */
export const RECOMMENDED = 'recommended: four streams';

const LN_FOUR = Math.log(1 / FEATURES.length / 4);
export const EVEN = [LN_FOUR, LN_FOUR, LN_FOUR, LN_FOUR];
const LN_TWO = Math.log(1 / FEATURES.length / 2);
const ONLY = (streams, share) =>
  [0, 1, 2, 3].map((stream) => (streams.includes(stream) ? share : Number.NEGATIVE_INFINITY));
const WINDOWS_MS = { '10 min': HOUR_MS / 6, '1 h': HOUR_MS, session: Number.POSITIVE_INFINITY };

/** `fits`, `tails`: sessions that parameters and tails are learned from. */
export function methodsOf(parameters, fits, tails) {
  const maps = learnTails(parameters, tails);
  const counts = Object.fromEntries(
    Object.entries(WINDOWS_MS).map(([name, ms]) => [name, scalesOf(fits, windowed(ms))]),
  );
  const effective = scalesOf(fits, debursted(parameters));
  const bursts = scalesOf(fits, burstOf(parameters));
  const rates = ratesOf(fits);
  const zs = variants(['plain', 'steadied'], (name) => zStreams(parameters, STEADIED[name]));
  const zMaps = variants(['plain', 'steadied'], (name) => tailsOf(zs[name], tails, 3));
  return {
    'window count, global': variants(Object.keys(WINDOWS_MS), (name) =>
      scaled(windowed(WINDOWS_MS[name]), counts[name].global),
    ),
    'window count, per cohort': variants(Object.keys(WINDOWS_MS), (name) =>
      scaled(windowed(WINDOWS_MS[name]), counts[name].cohort),
    ),
    'decayed additive risk': variants(
      ['1 h, even', '8 h, even', '24 h, even', '1 h, rare', '8 h, rare', '24 h, rare'],
      (name) => {
        const tauMs = Number.parseInt(name, 10) * HOUR_MS;
        return decayed(tauMs, name.endsWith('rare') ? rates.map((rate) => -Math.log(rate)) : rates.map(() => 1));
      },
    ),
    'z-score': variants(['plain', 'steadied'], (name) => zScore(parameters, STEADIED[name])),
    'CUSUM, negative binomial': variants(['2', '4', '8'], (rho) => cusum(parameters, Number(rho))),
    'per cohort, de-bursted, burst': {
      plain: highest(scaled(debursted(parameters), effective.cohort), scaled(burstOf(parameters), bursts.cohort)),
    },
    'z on this baseline, burst, tails': variants(['plain', 'steadied'], (name) =>
      standardised(zs[name], zMaps[name], Math.log(1 / FEATURES.length / 3)),
    ),
    'mixture e-process, calibrated': { plain: evidenceOf(parameters, maps, ONLY([0, 1], LN_TWO)) },
    [RECOMMENDED]: { plain: evidenceOf(parameters, maps, ONLY([0, 1, 2, 3], LN_FOUR)) },
  };
}

/** What the scoring reference names as promising, beside the recommended design. `byTask`: parameters of each task, where there are some. */
export function promisingOf(parameters, byTask, tails) {
  const maps = learnTails(parameters, tails);
  const whole = ONLY([0, 1, 2, 3], LN_FOUR);
  const z = zStreams(parameters, STEADIED.steadied);
  const zMaps = tailsOf(z, tails, 3);
  const recommended = evidenceOf(parameters, maps, whole);
  const sparse = standardised(
    z,
    zMaps,
    LN_FOUR,
    (feature, cohort) => parameters('effective', cohort)(feature, 'events').mu < 0.012,
  );
  return {
    [RECOMMENDED]: recommended,
    'z instead of volume and rate where marks are sparse': highest(
      evidenceOf(
        parameters,
        maps,
        whole,
        (feature, cohort) => parameters('effective', cohort)(feature, 'events').mu < 0.012,
      ),
      sparse,
    ),
    'epochs of 8 hours': epochs(8 * HOUR_MS, recommended),
    ...(byTask === undefined ? {} : { 'cohorts by task': evidenceOf(byTask, learnTails(byTask, tails), whole) }),
    'without shift': evidenceOf(parameters, maps, ONLY([0, 1, 2], LN_FOUR)),
    'without rate': evidenceOf(parameters, maps, ONLY([0, 2, 3], LN_FOUR)),
    'without burst': evidenceOf(parameters, maps, ONLY([0, 1, 3], LN_FOUR)),
  };
}

function variants(names, make) {
  return Object.fromEntries(names.map((name) => [name, make(name)]));
}

/** The engine's own: feature streams, tails, shares, maximum. `sparse`: features whose volume and rate are left out. */
export function evidenceOf(parameters, maps, lnShares, sparse) {
  const shares = (cohort) => (feature) =>
    sparse?.(feature, cohort)
      ? lnShares.map((share, stream) => (stream < 2 ? Number.NEGATIVE_INFINITY : share))
      : lnShares;
  const models = memoized((cohort) =>
    modelsOf(parameters('effective', cohort), (id) => maps[id], lnShares).map((one) => ({
      ...one,
      lnShares: shares(cohort)(one.id),
    })),
  );
  return (session, visit = () => {}) => {
    const own = models(session.cohort);
    let score = 0;
    return attend(own, session, (at, feature, evidence) => {
      if (feature >= 0) score = evidence.cause(own)?.evidence ?? 0;
      visit(at, score);
    }).highest;
  };
}

function memoized(make) {
  const made = new Map();
  return (cohort) => {
    let one = made.get(cohort.task);
    if (one === undefined) {
      one = make(cohort);
      made.set(cohort.task, one);
    }
    return one;
  };
}

/** Of a way to count: a number for the feature of each event. */
function running(session, next, visit) {
  let largest = 0;
  const values = FEATURES.map(() => 0);
  const { times, features, marks } = session;
  for (let at = 0; at < times.length; at++) {
    const feature = features[at];
    if (feature >= 0) values[feature] = next(feature, times[at], marks[at], at);
    visit(at, feature, values);
    if (feature >= 0) largest = Math.max(largest, values[feature]);
  }
  return largest;
}

function windowed(withinMs) {
  return () => {
    const seen = FEATURES.map(() => ({ times: [], marks: [], head: 0, sum: 0 }));
    return (feature, atMs, mark) => {
      const one = seen[feature];
      one.times.push(atMs);
      one.marks.push(mark);
      one.sum += mark;
      while (one.times[one.head] <= atMs - withinMs) one.sum -= one.marks[one.head++];
      return one.sum;
    };
  };
}

/** Effective marks, by the engine's own de-bursting. */
function debursted() {
  return () => {
    const seen = FEATURES.map(() => ({ index: 0, lastMs: Number.NEGATIVE_INFINITY, sum: 0 }));
    return (feature, atMs, mark) => {
      const one = seen[feature];
      one.index = atMs - one.lastMs > 60_000 ? 1 : one.index + 1;
      one.lastMs = atMs;
      one.sum += mark / one.index;
      return one.sum;
    };
  };
}

function burstOf() {
  return () => {
    const seen = FEATURES.map(() => ({ lastMs: Number.NEGATIVE_INFINITY, mass: 0 }));
    return (feature, atMs, mark) => {
      const one = seen[feature];
      one.mass = atMs - one.lastMs > 60_000 ? mark : one.mass + mark;
      one.lastMs = atMs;
      return Math.max(0, one.mass - 1);
    };
  };
}

/**
 * How far a count goes in benign sessions, per feature: what one in a hundred of all exceeds, and for a cohort that in
 * proportion to its mean, which is shrunk to all by 30 sessions. So no feature is louder than another.
 */
function scalesOf(sessions, counting) {
  const all = FEATURES.map(() => []);
  const cohorts = new Map();
  for (const session of sessions) {
    const largest = FEATURES.map(() => 0);
    running(session, counting(), (_, feature, values) => {
      if (feature >= 0) largest[feature] = Math.max(largest[feature], values[feature]);
    });
    if (!cohorts.has(session.cohort.key)) cohorts.set(session.cohort.key, { n: 0, sums: FEATURES.map(() => 0) });
    const own = cohorts.get(session.cohort.key);
    own.n++;
    for (const [feature, value] of largest.entries()) {
      all[feature].push(value);
      own.sums[feature] += value;
    }
  }
  const high = all.map((values) => Math.max(1, quantile(values, 0.99)));
  const mean = all.map((values) => values.reduce((sum, value) => sum + value, 0.5) / (values.length + 1));
  const scales = new Map(
    [...cohorts].map(([key, { n, sums }]) => [
      key,
      sums.map((sum, f) => Math.max(0.5, (high[f] * (sum + 30 * mean[f])) / (n + 30) / mean[f])),
    ]),
  );
  return { global: () => high, cohort: ({ key }) => scales.get(key) ?? high };
}

function ratesOf(sessions) {
  const marks = FEATURES.map(() => 1);
  let events = 1;
  for (const { features } of sessions) {
    events += features.length;
    for (const feature of features) if (feature >= 0) marks[feature]++;
  }
  return marks.map((count) => count / events);
}

/** The largest of the counts, each in units of what benign sessions reach on average. */
function scaled(counting, scaleOf) {
  return (session, visit = () => {}) => {
    const scale = scaleOf(session.cohort);
    let largest = 0;
    running(session, counting(), (at, feature, values) => {
      let score = 0;
      for (let f = 0; f < values.length; f++) score = Math.max(score, values[f] / scale[f]);
      if (feature >= 0) largest = Math.max(largest, score);
      visit(at, score);
    });
    return largest;
  };
}

function highest(...methods) {
  return (session, visit = () => {}) => {
    const scores = new Float64Array(session.times.length);
    const largest = methods.map((method) => method(session, (at, score) => (scores[at] = Math.max(scores[at], score))));
    for (let at = 0; at < scores.length; at++) visit(at, scores[at]);
    return Math.max(...largest);
  };
}

/** Each epoch begins anew; what a session reached is the largest of its epochs. */
function epochs(lengthMs, method) {
  return (session, visit = () => {}) => {
    let largest = 0;
    for (let from = 0; from < session.times.length; ) {
      const endMs = session.times[from] + lengthMs;
      let to = from;
      while (to < session.times.length && session.times[to] < endMs) to++;
      const part = { cohort: session.cohort };
      for (const list of ['times', 'features', 'marks']) part[list] = session[list].slice(from, to);
      const begin = from;
      largest = Math.max(
        largest,
        method(part, (at, score) => visit(begin + at, score)),
      );
      from = to;
    }
    return largest;
  };
}

function decayed(tauMs, points) {
  return (session, visit = () => {}) => {
    let [risk, largest, lastMs] = [0, 0, 0];
    for (const [at, atMs] of session.times.entries()) {
      risk *= Math.exp(-(atMs - lastMs) / tauMs);
      lastMs = atMs;
      const feature = session.features[at];
      if (feature >= 0) risk += points[feature] * session.marks[at];
      largest = Math.max(largest, risk);
      visit(at, risk);
    }
    return largest;
  };
}

/** Added to the variance: with it one mark where none is expected is no miracle. */
const STEADIED = { plain: 1e-9, steadied: 1 };

function zScore(parameters, added) {
  return (session, visit = () => {}) => {
    const of = parameters('raw', session.cohort);
    const clocks = FEATURES.map((_, feature) => of(feature, 'events'));
    const sums = FEATURES.map(() => 0);
    let [score, largest] = [0, 0];
    for (const [at, feature] of session.features.entries()) {
      if (feature >= 0) {
        sums[feature] += session.marks[at];
        score = 0;
        for (let f = 0; f < sums.length; f++)
          score = Math.max(score, zOf(sums[f], clocks[f].mu * (at + 1), clocks[f].a, added));
        largest = Math.max(largest, score);
      }
      visit(at, score);
    }
    return largest;
  };
}

function zOf(count, expected, a, added) {
  return count === 0 ? 0 : (count - expected) / Math.sqrt(expected + (expected * expected) / a + added);
}

function cusum(parameters, rho) {
  return (session, visit = () => {}) => {
    const of = parameters('raw', session.cohort);
    const clocks = FEATURES.map((_, feature) => of(feature, 'events'));
    const sums = FEATURES.map(() => 0);
    const before = FEATURES.map(() => 0);
    let largest = 0;
    for (const [at, feature] of session.features.entries()) {
      if (feature >= 0) {
        const { mu, a } = clocks[feature];
        const e = mu * (at + 1 - before[feature]);
        const x = session.marks[at];
        sums[feature] = Math.max(0, sums[feature] + x * Math.log(rho) - (a + x) * Math.log((a + rho * e) / (a + e)));
        before[feature] = at + 1;
      }
      const score = Math.max(...sums);
      largest = Math.max(largest, score);
      visit(at, score);
    }
    return largest;
  };
}

/** Volume and rate as z-scores of de-bursted counts, and the burst, for the feature of each event. */
function zStreams(parameters, added) {
  return (session, visit) => {
    const of = parameters('effective', session.cohort);
    const clocks = FEATURES.map((_, feature) => ({ events: of(feature, 'events'), active: of(feature, 'active') }));
    const count = debursted()();
    const burst = burstOf()();
    let [hours, lastMs] = [0, session.times[0] ?? 0];
    for (const [at, feature] of session.features.entries()) {
      const atMs = session.times[at];
      hours += Math.min(atMs - lastMs, HOUR_MS / 4) / HOUR_MS;
      lastMs = atMs;
      if (feature < 0) {
        visit(at, -1, undefined);
        continue;
      }
      const { events, active } = clocks[feature];
      const n = count(feature, atMs, session.marks[at]);
      const volume = zOf(n / events.phi, (events.mu * (at + 1)) / events.phi, events.a, added);
      const rate = zOf(n / active.phi, (active.mu * hours) / active.phi, active.a, added);
      visit(at, feature, [volume, rate, burst(feature, atMs, session.marks[at])]);
    }
  };
}

function tailsOf(streams, sessions, count) {
  const reached = FEATURES.map(() => Array.from({ length: count }, () => []));
  for (const session of sessions) {
    const largest = FEATURES.map(() => Array.from({ length: count }, () => 0));
    streams(session, (_, feature, values) => {
      if (feature >= 0)
        for (const [i, value] of values.entries()) largest[feature][i] = Math.max(largest[feature][i], value);
    });
    for (const [feature, all] of largest.entries())
      for (const [i, value] of all.entries()) reached[feature][i].push(value);
  }
  return reached.map((all) => all.map(fitTail));
}

/** `only`: the features that it looks at. */
function standardised(streams, maps, lnShare, only = () => true) {
  return (session, visit = () => {}) => {
    const leading = FEATURES.map(() => 0);
    let [score, largest] = [0, 0];
    streams(session, (at, feature, values) => {
      if (feature >= 0 && only(feature, session.cohort)) {
        leading[feature] = Math.max(0, ...values.map((value, i) => standardise(maps[feature][i], value) + lnShare));
        score = Math.max(...leading);
        largest = Math.max(largest, score);
      }
      visit(at, score);
    });
    return largest;
  };
}

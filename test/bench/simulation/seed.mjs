import { parentPort, workerData } from 'node:worker_threads';
import { conformalThreshold } from '../../../dist/learning/conformal.js';
import { runAgents } from './agents.mjs';
import { ATTACKS, attacked } from './attacks.mjs';
import { learnParameters } from './lessons.mjs';
import { methodsOf, promisingOf, RECOMMENDED } from './methods.mjs';
import { Chance, World } from './world.mjs';

export const BUDGETS = [0.01, 0.001];
export const NOMINAL = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05];
export const LONG_HOURS = [4, 12, 24];
const DRIFTS = [1.3, 2];

/** Everything of one seed in one world: learn, calibrate, judge honest sessions and attacks by each method. */
export function runSeed({ world: name, seed, sizes, methods: which = 'all' }, progress = () => {}) {
  const world = new World(name, seed);
  const chance = new Chance(seed * 7919 + 13);
  const sessions = (count, options) => Array.from({ length: count }, () => world.session(chance, options));
  const fits = sessions(Math.round(sizes.learn * 0.7));
  const tails = sessions(Math.round(sizes.learn * 0.3));
  const parameters = learnParameters(fits);
  progress('learned');
  const methods =
    which === 'promising'
      ? families(promisingOf(parameters, world.rules.tasks && learnParameters(fits, 'task'), tails))
      : methodsOf(parameters, fits, tails);
  const calibration = sessions(sizes.calibrate);
  const tests = sessions(sizes.test);
  const drifted = DRIFTS.map((drift) => sessions(Math.round(sizes.test / 4), { drift }));
  const attacks = Object.entries(ATTACKS).map(([attack, plan]) => [
    attack,
    Array.from({ length: sizes.attack }, () => attacked(world, chance, plan)),
  ]);
  progress('drawn');
  const result = { world: name, seed, families: {} };
  for (const [family, variants] of Object.entries(methods)) {
    result.families[family] = {};
    for (const [variant, score] of Object.entries(variants)) {
      const scores = calibration.map((session) => score(session));
      const thresholds = BUDGETS.map((alpha) => conformalThreshold(scores, alpha, 'marginal').c);
      const reached = tests.map((session) => ({
        hours: session.hours,
        tiny: session.cohort.tiny,
        score: score(session),
      }));
      const one = {
        rates: thresholds.map((c) => shareOf(reached, (r) => r.score > c)),
        long: thresholds.map((c) =>
          LONG_HOURS.map((least) =>
            shareOf(
              reached.filter(({ hours }) => hours >= least),
              (r) => r.score > c,
            ),
          ),
        ),
        tiny: thresholds.map((c) =>
          shareOf(
            reached.filter(({ tiny }) => tiny),
            (r) => r.score > c,
          ),
        ),
        attacks: Object.fromEntries(
          attacks.map(([attack, all]) => [attack, thresholds.map((c) => judged(all, score, c))]),
        ),
      };
      if (family === RECOMMENDED) Object.assign(one, more(score, scores, reached, drifted, attacks));
      result.families[family][variant] = one;
    }
    progress(family);
  }
  return result;
}

function families(methods) {
  return Object.fromEntries(Object.entries(methods).map(([name, score]) => [name, { plain: score }]));
}

/** Detection, steps of the attack and minutes to it, and harm prevented. Alarms before the attack begins do not count. */
function judged(sessions, score, c) {
  let [found, prevented] = [0, 0];
  const steps = [];
  const minutes = [];
  for (const session of sessions) {
    let alarm = -1;
    score(session, (at, value) => {
      if (alarm < 0 && value > c && session.times[at] >= session.attackedFrom) alarm = at;
    });
    if (alarm < 0) continue;
    found++;
    const harms = session.harms.filter(Boolean).length;
    const done = session.harms.slice(0, alarm + 1).filter(Boolean).length;
    prevented += (harms - done) / harms;
    steps.push(done);
    minutes.push((session.times[alarm] - session.attackedFrom) / 60_000);
  }
  return {
    detected: found / sessions.length,
    prevented: prevented / sessions.length,
    steps: median(steps),
    minutes: median(minutes),
  };
}

/** Of the recommended design alone: what the plots show. */
function more(score, calibrated, reached, drifted, attacks) {
  const nominal = NOMINAL.map((alpha) => {
    const { c } = conformalThreshold(calibrated, alpha, 'marginal');
    return shareOf(reached, (r) => r.score > c);
  });
  const drifts = DRIFTS.map((_, at) =>
    BUDGETS.map((alpha) => {
      const { c } = conformalThreshold(calibrated, alpha, 'marginal');
      return shareOf(drifted[at], (session) => score(session) > c);
    }),
  );
  const falling = reached.map((r) => r.score).sort((a, b) => b - a);
  const rates = [0.0003, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
  const roc = Object.fromEntries(
    attacks.map(([attack, sessions]) => {
      const largest = sessions.map((session) => {
        let most = 0;
        score(session, (at, value) => {
          if (session.times[at] >= session.attackedFrom) most = Math.max(most, value);
        });
        return most;
      });
      return [
        attack,
        rates.map((rate) => [rate, shareOf(largest, (most) => most > falling[Math.floor(rate * falling.length)])]),
      ];
    }),
  );
  const { c } = conformalThreshold(calibrated, 0.001, 'marginal');
  const courses = ['staged exfiltration', 'sleeper', 'slow 4x'].map((attack) => {
    const [, all] = attacks.find(([name]) => name === attack);
    const session = all.find((one) => score(one) > c) ?? all[0];
    const points = [];
    score(session, (at, value) => points.push([session.times[at] / 3_600_000, value]));
    return { attack, threshold: c, from: session.attackedFrom / 3_600_000, points };
  });
  return { nominal, drifts, roc, courses };
}

function shareOf(list, holds) {
  return list.length === 0 ? 0 : list.filter(holds).length / list.length;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

if (parentPort !== null && workerData?.simulation !== undefined) {
  const run = workerData.simulation.methods === 'agents' ? runAgents : runSeed;
  parentPort.postMessage({ result: run(workerData.simulation, (part) => parentPort.postMessage({ part })) });
}

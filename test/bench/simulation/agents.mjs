import { conformalThreshold } from '../../../dist/learning/conformal.js';
import { ATTACKS, attacked, victim } from './attacks.mjs';
import { learnParameters, learnTails } from './lessons.mjs';
import { EVEN, evidenceOf } from './methods.mjs';
import {
  ADMIN,
  BURST_MORE,
  BURST_SHARE,
  Chance,
  DELETE,
  DENIAL,
  HOUR_MS,
  PAY,
  SEND,
  SENSITIVE_READ,
  Session,
  World,
} from './world.mjs';

/**
 * Agents of ten sessions, and a second unit of evidence beside the session: all sessions of the agent. Attacks are spread over
 * sessions, each of them no more than a little above what is usual, or are in the last session alone.
 */
export const SESSIONS = 10;
/** The first session of an attack that is spread over all that follow. */
const BEGINS = 2;
const GAP_MS = 12 * HOUR_MS;
export const AGENT_BUDGETS = [0.01, 0.001];

/** What each session of the attack adds, hours after half an hour of it; a session has an hour and a half. */
export const SPREAD = {
  'salami over sessions': () => evenly(6, PAY).map((one) => ({ ...one, mark: 0.6 / 3 })),
  'deletes 2x over sessions': (cohort) => evenly(deletesOf(cohort), DELETE),
  'deletes 4x over sessions': (cohort) => evenly(3 * deletesOf(cohort), DELETE),
  'exfiltration over sessions': () => [
    ...evenly(3, SENSITIVE_READ, false).map((one) => ({ ...one, at: one.at / 2 })),
    ...evenly(2, SEND).map((one) => ({ ...one, at: 0.5 + one.at / 2 })),
  ],
  'probing over sessions': () => evenly(3, DENIAL),
  'admin over sessions': () => evenly(1, ADMIN),
};

function deletesOf({ perEvent, perHour }) {
  return Math.max(1, Math.round(1.5 * perEvent[DELETE] * (1 + BURST_SHARE * BURST_MORE) * perHour));
}

function evenly(count, feature, harm = true) {
  return Array.from({ length: count }, (_, i) => ({ at: (i + 0.5) / count, feature, mark: 1, harm }));
}

/** The sessions of one agent. */
function honest(world, chance, count = SESSIONS) {
  const who = {
    ...(count < SESSIONS ? victim(world, chance) : { cohort: world.cohortOf(chance) }),
    habit: world.habit(chance),
  };
  return { who, sessions: Array.from({ length: count }, () => world.session(chance, who)) };
}

/** `adds`: spread over sessions; else a plan of the one attack in the last of them. */
function hijacked(world, chance, { adds, plan }) {
  const { who, sessions } = honest(world, chance, plan === undefined ? BEGINS : SESSIONS - 1);
  const each = plan ?? { hours: 1.5, from: 0.5, adds };
  while (sessions.length < SESSIONS) sessions.push(attacked(world, chance, each, who));
  return sessions;
}

/** All sessions of an agent as if they were one: its clocks stand still between them. */
function joined(sessions) {
  const all = new Session(sessions[0].cohort);
  let from = 0;
  for (const one of sessions) {
    all.attackedFrom = Math.min(all.attackedFrom, from + one.attackedFrom);
    for (const [at, atMs] of one.times.entries()) {
      all.times.push(from + atMs);
      all.features.push(one.features[at]);
      all.marks.push(one.marks[at]);
      all.harms.push(one.harms[at]);
    }
    from = (all.times.at(-1) ?? from) + GAP_MS;
  }
  return all;
}

/**
 * What each unit says after each event of an agent: the session alone; all its sessions as one long one, with parameters and
 * tails of agents; and what its sessions reached, summed beyond what is usual.
 */
function unitsOf(fits, tails) {
  const bySession = learnParameters(fits.flat());
  const session = evidenceOf(bySession, learnTails(bySession, tails.flat()), EVEN);
  const byAgent = learnParameters(fits.map(joined));
  const long = evidenceOf(byAgent, learnTails(byAgent, tails.map(joined)), EVEN);
  const reached = tails.flat().map((one) => session(one));
  const usual = reached.reduce((sum, one) => sum + one, 0) / reached.length;
  return (sessions) => {
    const values = { session: [], long: [], sum: [] };
    let [before, highest] = [0, []];
    for (const one of sessions) {
      let most = 0;
      session(one, (_, score) => {
        most = Math.max(most, score);
        values.session.push(score);
        values.sum.push(Math.max(0, before + most - usual));
      });
      highest.push(most);
      before = Math.max(0, before + most - usual);
    }
    long(joined(sessions), (_, score) => values.long.push(score));
    return { values, highest, most: { long: Math.max(0, ...values.long), sum: Math.max(0, ...values.sum) } };
  };
}

/**
 * How a budget of alpha is spent. `split`: half of it on sessions, half on agents, so that at most alpha of the sessions and of the
 * agents are stopped. `even`: what agents get is counted in sessions too: an agent that is stopped is one session of ten, and
 * its evidence begins anew when a person has released it.
 */
export const DESIGNS = {
  'session alone': (alpha) => ({ session: alpha }),
  'agent as one long session, alone': (alpha) => ({ long: alpha }),
  'session and agent as one, split': (alpha) => ({ session: alpha / 2, long: alpha / 2 }),
  'session and agent as one, even': (alpha) => ({ session: alpha / 2, long: (SESSIONS * alpha) / 2 }),
  'session and agent as one, a fifth even': (alpha) => ({ session: 0.8 * alpha, long: 0.2 * SESSIONS * alpha }),
  'session and sum, split': (alpha) => ({ session: alpha / 2, sum: alpha / 2 }),
  'session and sum, even': (alpha) => ({ session: alpha / 2, sum: (SESSIONS * alpha) / 2 }),
};

export function runAgents({ world: name, seed, sizes }, progress = () => {}) {
  const world = new World(name, seed);
  const chance = new Chance(seed * 104_729 + 7);
  const draw = (count) => Array.from({ length: count }, () => honest(world, chance).sessions);
  const units = unitsOf(draw(Math.round(sizes.learn * 0.7)), draw(Math.round(sizes.learn * 0.3)));
  progress('learned');
  const seen = (count) => Array.from({ length: count }, () => units(honest(world, chance).sessions));
  const scores = { session: [], long: [], sum: [] };
  for (const { highest, most } of seen(sizes.calibrate)) {
    scores.session.push(...highest);
    scores.long.push(most.long);
    scores.sum.push(most.sum);
  }
  const thresholds = AGENT_BUDGETS.map((alpha) =>
    Object.entries(DESIGNS).map(([, spend]) =>
      Object.entries(spend(alpha)).map(([unit, share]) => [
        unit,
        conformalThreshold(scores[unit], share, 'marginal').c,
      ]),
    ),
  );
  progress('certified');
  const tests = seen(sizes.test).map(({ highest, most }) => ({ session: highest, long: [most.long], sum: [most.sum] }));
  const stopped = thresholds.map((designs) =>
    designs.map((units) => {
      const counts = tests.map((one) =>
        units.reduce((sum, [unit, c]) => sum + one[unit].filter((s) => s > c).length, 0),
      );
      const sum = counts.reduce((total, count) => total + count, 0);
      return {
        sessions: sum / counts.length / SESSIONS,
        agents: counts.filter((count) => count > 0).length / counts.length,
      };
    }),
  );
  const plans = { ...mapped(SPREAD, (adds) => ({ adds })), ...mapped(ATTACKS, (plan) => ({ plan })) };
  const attacks = mapped(plans, (plan) => {
    const agents = Array.from({ length: sizes.attack }, () => hijacked(world, chance, plan));
    const told = agents.map((sessions) => ({ ...units(sessions), all: joined(sessions) }));
    return thresholds.map((designs) => designs.map((units) => judgedAgents(told, units)));
  });
  return { world: name, seed, stopped, attacks };
}

/** As of sessions: alarms before the attack begins do not count. */
function judgedAgents(told, units) {
  let [found, prevented] = [0, 0];
  for (const { values, all } of told) {
    const from = all.times.findIndex((atMs) => atMs >= all.attackedFrom);
    let alarm = -1;
    for (let at = from; at < all.times.length && alarm < 0; at++)
      if (units.some(([unit, c]) => values[unit][at] > c)) alarm = at;
    if (alarm < 0) continue;
    found++;
    prevented += all.harms.slice(alarm + 1).filter(Boolean).length / all.harms.filter(Boolean).length;
  }
  return { detected: found / told.length, prevented: prevented / told.length };
}

function mapped(of, make) {
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, make(one)]));
}

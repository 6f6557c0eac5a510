import {
  ADMIN,
  ARCHIVE,
  BURST_MORE,
  BURST_SHARE,
  DELETE,
  DENIAL,
  HOUR_MS,
  PAY,
  SEND,
  SENSITIVE_READ,
  Session,
} from './world.mjs';

/**
 * Attacks on sessions that are benign otherwise. Each gives the events that it adds: hours after it begins, feature, mark,
 * and whether the event is the harm itself. `hours`: how long the session is, `from`: when the attack begins.
 * Source: scoring reference, section 11.1.
 */
export const ATTACKS = {
  'burst delete': { hours: 3, from: 1, adds: () => spread(150, 5 / 60, DELETE) },
  'slow 1.5x': slow(1.5),
  'slow 2x': slow(2),
  'slow 4x': slow(4),
  'slow 8x': slow(8),
  'staged exfiltration': {
    hours: 5,
    from: 1,
    adds: () => [
      ...spread(25, 1, SENSITIVE_READ, false),
      { at: 1.05, feature: ARCHIVE, mark: 1, harm: false },
      ...spread(16, 1.1, SEND).map((one) => ({ ...one, at: one.at + 1.1 })),
    ],
  },
  'denial probing': { hours: 6, from: 1, adds: () => spread(30, 4, DENIAL) },
  'salami spending': { hours: 10, from: 1, adds: () => spread(48, 8, PAY).map((one) => ({ ...one, mark: 0.6 / 3 })) },
  sleeper: { hours: 24, from: 21, adds: () => spread(60, 3, DELETE) },
  'padded deletes': { hours: 6, from: 1, adds: () => [...spread(120, 4, DELETE), ...spread(1800, 4, -1, false)] },
  'admin creep': { hours: 6, from: 1, adds: () => spread(12, 4, ADMIN) },
};

function slow(factor) {
  return {
    hours: 14,
    from: 1,
    adds: (cohort, chance) => {
      const mean = cohort.perEvent[DELETE] * (1 + BURST_SHARE * BURST_MORE) * cohort.perHour;
      const count = (factor - 1) * mean * 13;
      return Array.from({ length: Math.max(1, Math.round(count)) }, () => mark(13 * chance.unit(), DELETE));
    },
  };
}

function spread(count, hours, feature, harm = true) {
  return Array.from({ length: count }, (_, i) => ({ ...mark(((i + 0.5) * hours) / count, feature), harm }));
}

function mark(at, feature) {
  return { at, feature, mark: 1, harm: true };
}

/** Of a cohort that is not tiny. */
export function victim(world, chance) {
  let cohort = world.cohortOf(chance);
  while (cohort.tiny) cohort = world.cohortOf(chance);
  return { cohort };
}

/** A session of somebody, with the attack in it. */
export function attacked(world, chance, { hours, from, adds }, who = victim(world, chance)) {
  const { cohort } = who;
  const honest = world.session(chance, { ...who, hours });
  const added = adds(cohort, chance).map((one) => ({ ...one, atMs: (from + one.at) * HOUR_MS }));
  const own = honest.times.map((atMs, i) => ({
    atMs,
    feature: honest.features[i],
    mark: honest.marks[i],
    harm: false,
  }));
  const session = new Session(cohort);
  for (const { atMs, feature, mark, harm } of [...own, ...added].sort((a, b) => a.atMs - b.atMs))
    session.act(atMs, feature, mark, harm);
  session.attackedFrom = from * HOUR_MS;
  return session;
}

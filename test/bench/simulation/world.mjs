/**
 * Worlds of simulated benign sessions. A session is its events in order: when, which feature is marked (-1: none) and by how
 * much. Seeded: the same seed is the same world, session by session. Source: scoring reference, section 11.1.
 */
export const FEATURES = ['deletes', 'sensitive reads', 'archives', 'staged sends', 'denials', 'payments', 'admin'];
export const [DELETE, SENSITIVE_READ, ARCHIVE, SEND, DENIAL, PAY, ADMIN] = FEATURES.keys();
/** Marks per event of an average cohort. */
const PER_EVENT = [0.05, 0.03, 0.005, 0.03, 0.008, 0.008, 0.003];
/** Of a delete that begins a burst: its chance, and how many more follow on average, seconds apart. */
export const BURST_SHARE = 0.25;
export const BURST_MORE = 8;
const COHORTS = 24;
/** Beside them, cohorts of about ten sessions. */
const TINY_COHORTS = 4;
const EVENTS_PER_HOUR = 60;
export const HOUR_MS = 3_600_000;
const CAP_HOURS = 72;

/**
 * What a side world changes. `spread`: of the squared coefficient of variation between sessions. `tasks`: so many kinds of work
 * that a cohort has, which may be known or not; with them sessions differ as much as in `main`, most of it by task. `habit`: the
 * share of what sessions differ by that is the agent's, where there are agents.
 */
export const WORLDS = {
  main: { spread: 1, bursts: true, diurnal: true, bulk: 0.0003, gamma: false },
  'model true': { spread: 1, bursts: false, diurnal: false, bulk: 0, gamma: true },
  tight: { spread: 0.3, bursts: true, diurnal: true, bulk: 0.0003, gamma: false },
  loose: { spread: 5, bursts: true, diurnal: true, bulk: 0.0003, gamma: false },
  'bulk 0.5 %': { spread: 1, bursts: true, diurnal: true, bulk: 0.005, gamma: false },
  habits: { spread: 1, bursts: true, diurnal: true, bulk: 0.0003, gamma: false, habit: 1 },
  tasks: { spread: 1 / 3, bursts: true, diurnal: true, bulk: 0.0003, gamma: false, tasks: 4 },
};
/** Squared coefficient of variation of a session's rate in its cohort. */
const CV2 = 0.3;
/** The share of that which is the agent's, where a world says nothing else. */
const HABIT = 0.5;
/** Of the rates of a task in its cohort. */
const TASK_CV2 = 0.2;

/** A reproducible source of chance. */
export class Chance {
  #state;
  #spare;

  constructor(seed) {
    this.#state = (seed * 2_654_435_761) >>> 0;
    for (let i = 0; i < 8; i++) this.unit();
  }

  unit() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  normal() {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    const angle = 2 * Math.PI * this.unit();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  exponential() {
    return -Math.log(1 - this.unit());
  }

  /** Of mean 1 and this squared coefficient of variation. */
  lognormal(cv2) {
    const variance = Math.log1p(cv2);
    return Math.exp(Math.sqrt(variance) * this.normal() - variance / 2);
  }

  /** Of mean 1 and this squared coefficient of variation. Source: Marsaglia and Tsang, 2000. */
  gamma(cv2) {
    const shape = 1 / cv2;
    if (shape < 1) return (this.gammaOf(shape + 1) * this.unit() ** (1 / shape)) / shape;
    return this.gammaOf(shape) / shape;
  }

  gammaOf(shape) {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.unit()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}

export class World {
  constructor(name, seed) {
    this.rules = WORLDS[name];
    const chance = new Chance(seed);
    const sizes = [
      ...Array.from({ length: COHORTS }, (_, rank) => 1 / (rank + 1)),
      ...Array.from({ length: TINY_COHORTS }, () => 0.00125),
    ];
    const whole = sizes.slice(0, COHORTS).reduce((sum, size) => sum + size, 0);
    this.cohorts = sizes.map((size, at) => ({
      key: `cohort ${at}`,
      share: at < COHORTS ? size / whole : size,
      tiny: at >= COHORTS,
      perHour: EVENTS_PER_HOUR * chance.lognormal(0.25),
      perEvent: PER_EVENT.map((rate) => rate * chance.lognormal(0.9)),
      diurnal: this.rules.diurnal && at % 2 === 0,
    }));
    for (const cohort of this.cohorts) {
      cohort.task = cohort.key;
      cohort.tasks = Array.from({ length: this.rules.tasks ?? 0 }, (_, at) => ({
        ...cohort,
        task: `${cohort.key}, task ${at}`,
        perEvent: cohort.perEvent.map((rate) => rate * chance.lognormal(TASK_CV2)),
      }));
    }
    this.total = this.cohorts.reduce((sum, { share }) => sum + share, 0);
  }

  cohortOf(chance) {
    let at = chance.unit() * this.total;
    for (const cohort of this.cohorts) {
      at -= cohort.share;
      if (at < 0) return taskOf(cohort, chance);
    }
    return taskOf(this.cohorts[0], chance);
  }

  /** Factors of the rates of an agent in all its sessions. */
  habit(chance) {
    const { spread, habit = HABIT } = this.rules;
    const cv2 = (CV2 * spread * habit) / 2;
    const own = chance.lognormal(cv2);
    return FEATURES.map(() => own * chance.lognormal(cv2));
  }

  /** `hours`: its length; drawn where absent. `drift`: factor of all rates of marks. `habit`: of the agent, where it has one. */
  session(chance, { cohort = this.cohortOf(chance), hours, drift = 1, habit } = {}) {
    const { spread, gamma, bulk, bursts } = this.rules;
    const length = hours ?? lengthOf(chance);
    const vary = (cv2) => (gamma ? chance.gamma(cv2) : chance.lognormal(cv2));
    const left = habit === undefined ? 1 : 1 - (this.rules.habit ?? HABIT);
    const cv2 = (CV2 * spread * left) / 2;
    const own = vary(cv2);
    const rates = cohort.perEvent.map((rate, at) => rate * drift * (habit?.[at] ?? 1) * own * vary(cv2));
    if (chance.unit() < bulk) rates[Math.floor(chance.unit() * rates.length)] *= 15;
    const session = new Session(cohort);
    const pace = cohort.perHour * chance.lognormal(0.2);
    const beganHours = chance.unit() * 24;
    for (let atMs = 0, at = 0; ; ) {
      const slow = cohort.diurnal && (beganHours + at) % 24 > 14 ? 0.25 : 1;
      at += chance.exponential() / (pace * slow);
      if (at > length) break;
      atMs = at * HOUR_MS;
      const feature = drawn(rates, chance);
      session.act(atMs, feature, feature === PAY ? Math.min(1, chance.lognormal(0.5) / 3) : 1);
      if (feature !== DELETE || !bursts || chance.unit() > BURST_SHARE) continue;
      for (let more = Math.floor(chance.exponential() * BURST_MORE); more > 0; more--) {
        atMs += 1000 + 3000 * chance.unit();
        session.act(atMs, DELETE, 1);
      }
      at = Math.max(at, atMs / HOUR_MS);
    }
    return session;
  }
}

function taskOf(cohort, chance) {
  return cohort.tasks.length === 0 ? cohort : cohort.tasks[Math.floor(chance.unit() * cohort.tasks.length)];
}

/** Median an hour; one in ten much longer. */
function lengthOf(chance) {
  const hours = chance.unit() < 0.1 ? 2 * (1 - chance.unit()) ** (-1 / 1.5) : Math.exp(0.8 * chance.normal());
  return Math.min(Math.max(hours, 0.05), CAP_HOURS);
}

function drawn(rates, chance) {
  let at = chance.unit();
  for (let feature = 0; feature < rates.length; feature++) {
    at -= rates[feature];
    if (at < 0) return feature;
  }
  return -1;
}

/** Events in order of time. A send is a mark only once the session has read something sensitive. */
export class Session {
  times = [];
  features = [];
  marks = [];
  /** Whether an event belongs to an attack. */
  harms = [];
  attackedFrom = Number.POSITIVE_INFINITY;
  #read = false;

  constructor(cohort) {
    this.cohort = cohort;
  }

  act(atMs, feature, mark, harm = false) {
    if (feature === SENSITIVE_READ) this.#read = true;
    this.times.push(atMs);
    this.features.push(feature === SEND && !this.#read ? -1 : feature);
    this.marks.push(mark);
    this.harms.push(harm);
  }

  get hours() {
    return (this.times.at(-1) ?? 0) / HOUR_MS;
  }
}

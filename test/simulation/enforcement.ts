import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { Acknowledgement } from '../../src/domain/record.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import type { Hands } from '../../src/enforcer/hands.ts';
import { Obedience } from '../../src/enforcer/obedience.ts';
import type { Stand } from '../../src/enforcer/standing.ts';
import { bodyOf, World } from './world.ts';

/**
 * How an enforcer fails. The real one obeys in each of them; what fails is what its hands reach, or whether it hears and
 * is heard.
 *
 *   offline     hears nothing for a while, or ever; comes back with the verdicts
 *   slow        its hands take longer than an acknowledgement may
 *   lying       says enforced and does nothing
 *   failing     its hands throw
 *   unsupported has no hand to kill with
 *   unheard     its acknowledgements are lost
 *   duplicating hears everything again, and says everything twice
 */
export const BEHAVIOURS = [
  'prompt',
  'offline',
  'slow',
  'lying',
  'failing',
  'unsupported',
  'unheard',
  'duplicating',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What became of one session that was killed. */
export interface Fate {
  session: string;
  /** Of the first class of enforcers. */
  behaviour: Behaviour;
  /** There is a second class, which is prompt and waits for its turn. */
  layered: boolean;
  /** The agent does nothing any more. */
  stopped: boolean;
  /** The second class stopped it before it was its turn. */
  early: boolean;
  /** Findings that call people: nobody confirmed, or it acts although it is killed. */
  alarms: ReadonlySet<string>;
}

const STEP_MS = 4000;
const ACKNOWLEDGE_WITHIN_MS = 20_000;
const ATTEMPTS = 3;
/** Long enough for a pause without an answer, the kill, and all its publications. */
const STEPS = 60;

const SETTINGS: Partial<PolicySettings> = {
  answerWithinMs: 30_000,
  decisionGraceMs: 5000,
  reminderBeforeMs: 10_000,
  acknowledgeWithinMs: ACKNOWLEDGE_WITHIN_MS,
  publishAttempts: ATTEMPTS,
};
const BOUNDS = { pause: 'n > 3', kill: 'n > 6' };
const POLICY = bodyOf(BOUNDS, SETTINGS);
const LAYERED_POLICY = bodyOf(BOUNDS, { ...SETTINGS, enforcers: ['runtime', 'gateway'] });

/** One run: a real analyzer in virtual time, agents that delete until something stops them, enforcers for each. */
export async function enforcementRun(seed: number): Promise<Fate[]> {
  const random = randomOf(seed);
  const layered = random() < 0.5;
  const world = new World();
  world.activate(await world.policy(layered ? LAYERED_POLICY : POLICY));
  const process = world.process();
  const count = 1 + Math.floor(random() * 3);
  const agents = Array.from({ length: count }, (_, i) => new Agent(`s-${i}`, world, random, layered));
  let read = 0;
  for (let now = 0; now < STEPS; now++) {
    for (const agent of agents) agent.act();
    await process.drain();
    const said = world.outlet.outputs.slice(read);
    read += said.length;
    for (const agent of agents) agent.obey(said);
    await setImmediate();
    await world.clock.advance(STEP_MS);
  }
  await process.drain();
  await process.stop();
  const killed = new Set(
    world.said('verdicts').flatMap(({ verdict }) => (verdict.level === 'killed' ? verdict.session : [])),
  );
  return agents
    .filter(({ session }) => killed.has(session))
    .map(({ session, behaviour, stopped, early }) => {
      const codes = codesOf(world, session);
      const alarms = new Set(codes.filter((code) => code === 'command_escalated' || code === 'action_after_kill'));
      return { session, behaviour, layered, stopped, early, alarms };
    });
}

function codesOf(world: World, session: string): string[] {
  return world.said('findings').flatMap(({ finding }) => (finding.session === session ? finding.code : []));
}

type Said = World['outlet']['outputs'][number];

/** An agent that deletes without end, and the enforcers that have their hands on it. */
class Agent {
  readonly session: string;
  readonly behaviour: Behaviour;
  readonly #world: World;
  readonly #random: () => number;
  readonly #enforcers: FailingEnforcer[];
  #stand: Stand = 'free';
  early = false;

  constructor(session: string, world: World, random: () => number, layered: boolean) {
    this.session = session;
    this.#world = world;
    this.#random = random;
    this.behaviour = BEHAVIOURS[Math.floor(random() * BEHAVIOURS.length)]!;
    const stop = (stand: Stand) => this.#become(stand);
    const first = new FailingEnforcer(layered ? 'runtime' : undefined, this.behaviour, session, stop, world, random);
    const second = (stand: Stand) => {
      if (stand !== 'free' && !codesOf(world, session).includes('command_escalated')) this.early = true;
      this.#become(stand);
    };
    this.#enforcers = layered
      ? [first, new FailingEnforcer('gateway', 'prompt', session, second, world, random)]
      : [first];
  }

  get stopped(): boolean {
    return this.#stand === 'killed';
  }

  act(): void {
    if (this.#stand === 'free' && this.#random() < 0.9) this.#world.act(this.session);
  }

  obey(said: readonly Said[]): void {
    for (const enforcer of this.#enforcers) enforcer.obey(said);
  }

  #become(stand: Stand): void {
    if (this.#stand !== 'killed') this.#stand = stand;
  }
}

class FailingEnforcer {
  readonly #behaviour: Behaviour;
  readonly #world: World;
  readonly #random: () => number;
  readonly #obedience: Obedience;
  readonly #offlineUntilMs: number;
  #missed: Said[] = [];

  constructor(
    of: string | undefined,
    behaviour: Behaviour,
    session: string,
    stop: (stand: Stand) => void,
    world: World,
    random: () => number,
  ) {
    this.#behaviour = behaviour;
    this.#world = world;
    this.#random = random;
    const awayMs = random() < 0.5 ? Number.POSITIVE_INFINITY : random() * STEPS * STEP_MS;
    this.#offlineUntilMs = behaviour === 'offline' ? awayMs : 0;
    this.#obedience = new Obedience({
      name: `${of ?? 'enforcer'}-of-${session}`,
      class: of,
      hands: this.#hands(session, stop),
      deadMan: undefined,
      clock: world.clock,
      logger: pino({ level: 'silent' }),
      acknowledge: (acknowledgement) => this.#acknowledge(acknowledgement),
    });
  }

  obey(said: readonly Said[]): void {
    this.#missed.push(...said);
    if (this.#world.clock.monotonicMs() < this.#offlineUntilMs) {
      // Commands do not wait for who is away; verdicts are kept.
      this.#missed = this.#missed.filter(({ topic }) => topic === 'verdicts');
      return;
    }
    const times = this.#behaviour === 'duplicating' ? 3 : 1;
    for (let i = 0; i < times; i++) for (const output of this.#missed) this.#take(output);
    this.#missed = [];
    this.#obedience.settle();
  }

  #take(output: Said): void {
    const nowMs = this.#world.clock.nowMs();
    if (output.topic === 'commands') this.#obedience.command(output.command, nowMs);
    else if (output.topic === 'verdicts') this.#obedience.verdict(output.verdict, nowMs);
  }

  #hands(session: string, stop: (stand: Stand) => void): Hands {
    const done = (stand: Stand) => async () => {
      if (this.#behaviour === 'slow') await this.#world.clock.sleep(ACKNOWLEDGE_WITHIN_MS * (1 + this.#random()));
      if (this.#behaviour === 'failing') throw new Error('no such process');
      if (this.#behaviour !== 'lying') stop(stand);
    };
    const sessions = () => [{ session }];
    const hands = { sessions, pause: done('paused'), resume: done('free') };
    return this.#behaviour === 'unsupported' ? hands : { ...hands, kill: done('killed') };
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    if (this.#behaviour === 'unheard') return;
    const times = this.#behaviour === 'duplicating' ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.#world.control('command.acknowledged.v1', acknowledgement, acknowledgement.session);
    }
  }
}

/** mulberry32: equal seeds are equal runs. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

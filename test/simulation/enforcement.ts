import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { Acknowledgement } from '../../src/domain/record.ts';
import type { Hands } from '../../src/enforcer/hands.ts';
import { Obedience } from '../../src/enforcer/obedience.ts';
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
  behaviour: Behaviour;
  /** The agent does nothing any more. */
  stopped: boolean;
  /** Findings that call people: nobody confirmed, or it acts although it is killed. */
  alarms: ReadonlySet<string>;
}

const STEP_MS = 4000;
const ACKNOWLEDGE_WITHIN_MS = 20_000;
const ATTEMPTS = 3;
/** Long enough for a pause without an answer, the kill, and all its publications. */
const STEPS = 60;

const POLICY = bodyOf(
  { pause: 'n > 3', kill: 'n > 6' },
  {
    answerWithinMs: 30_000,
    decisionGraceMs: 5000,
    reminderBeforeMs: 10_000,
    acknowledgeWithinMs: ACKNOWLEDGE_WITHIN_MS,
    publishAttempts: ATTEMPTS,
  },
);

/** One run: a real analyzer in virtual time, agents that delete until something stops them, one enforcer for each. */
export async function enforcementRun(seed: number): Promise<Fate[]> {
  const random = randomOf(seed);
  const world = new World();
  world.activate(await world.policy(POLICY));
  const process = world.process();
  const agents = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => new Agent(`s-${i}`, world, random));
  let read = 0;
  for (let now = 0; now < STEPS; now++) {
    for (const agent of agents) agent.act();
    await process.drain();
    const said = world.outlet.outputs.slice(read);
    read += said.length;
    for (const output of said) for (const agent of agents) agent.hear(output);
    for (const agent of agents) agent.obey();
    await setImmediate();
    await world.clock.advance(STEP_MS);
  }
  await process.drain();
  await process.stop();
  const findings = world.said('findings').map(({ finding }) => finding);
  const killed = new Set(
    world.said('verdicts').flatMap(({ verdict }) => (verdict.level === 'killed' ? verdict.session : [])),
  );
  return agents
    .filter(({ session }) => killed.has(session))
    .map(({ session, behaviour, stopped }) => {
      const own = findings.filter((finding) => finding.session === session).map(({ code }) => code);
      const alarms = new Set(own.filter((code) => code === 'command_escalated' || code === 'action_after_kill'));
      return { session, behaviour, stopped, alarms };
    });
}

type Said = World['outlet']['outputs'][number];

/** An agent that deletes without end, and the enforcer that has its hands on it. */
class Agent {
  readonly session: string;
  readonly behaviour: Behaviour;
  readonly #world: World;
  readonly #random: () => number;
  readonly #enforcer: Obedience;
  readonly #offlineUntilMs: number;
  #missed: Said[] = [];
  #stand: 'free' | 'paused' | 'killed' = 'free';

  constructor(session: string, world: World, random: () => number) {
    this.session = session;
    this.#world = world;
    this.#random = random;
    this.behaviour = BEHAVIOURS[Math.floor(random() * BEHAVIOURS.length)]!;
    const awayMs = random() < 0.5 ? Number.POSITIVE_INFINITY : random() * STEPS * STEP_MS;
    this.#offlineUntilMs = this.behaviour === 'offline' ? awayMs : 0;
    this.#enforcer = new Obedience({
      name: `enforcer-of-${session}`,
      hands: this.#hands(),
      deadMan: undefined,
      clock: world.clock,
      logger: pino({ level: 'silent' }),
      acknowledge: (acknowledgement) => this.#acknowledge(acknowledgement),
    });
  }

  get stopped(): boolean {
    return this.#stand === 'killed';
  }

  act(): void {
    if (this.#stand === 'free' && this.#random() < 0.9) this.#world.act(this.session);
  }

  hear(output: Said): void {
    this.#missed.push(output);
  }

  obey(): void {
    if (this.#world.clock.monotonicMs() < this.#offlineUntilMs) {
      // Commands do not wait for who is away; verdicts are kept.
      this.#missed = this.#missed.filter(({ topic }) => topic === 'verdicts');
      return;
    }
    const times = this.behaviour === 'duplicating' ? 3 : 1;
    for (let i = 0; i < times; i++) for (const output of this.#missed) this.#take(output);
    this.#missed = [];
    this.#enforcer.settle();
  }

  #take(output: Said): void {
    const nowMs = this.#world.clock.nowMs();
    if (output.topic === 'commands') this.#enforcer.command(output.command, nowMs);
    else if (output.topic === 'verdicts') this.#enforcer.verdict(output.verdict, nowMs);
  }

  #hands(): Hands {
    const done = (stand: Agent['stand']) => async () => {
      if (this.behaviour === 'slow') await this.#world.clock.sleep(ACKNOWLEDGE_WITHIN_MS * (1 + this.#random()));
      if (this.behaviour === 'failing') throw new Error('no such process');
      if (this.behaviour === 'lying' || this.#stand === 'killed') return;
      this.#stand = stand;
    };
    const sessions = () => [{ session: this.session }];
    const hands = { sessions, pause: done('paused'), resume: done('free') };
    return this.behaviour === 'unsupported' ? hands : { ...hands, kill: done('killed') };
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    if (this.behaviour === 'unheard') return;
    const times = this.behaviour === 'duplicating' ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.#world.control('command.acknowledged.v1', acknowledgement, acknowledgement.session);
    }
  }

  get stand(): 'free' | 'paused' | 'killed' {
    return this.#stand;
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

import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { AnalyzerParts } from '../../src/app/analyzer.ts';
import { mulberry } from '../integration/traffic.ts';
import { compiledPolicies, simulatedPolicies } from './policies.ts';
import { FATES, type Process } from './process.ts';
import { type Fault, faultsOf, naiveFaultsOf } from './verdict.ts';
import { World } from './world.ts';

/** One schedule in so many is also compared with the naive engine. */
const NAIVE_EVERY = 100;
const TURNS = 14;
const SESSIONS = 4;
/** So few that the naive engine and the windows of `step` are both exact. */
const ACTIONS_PER_SESSION = 30;
const SILENT = pino({ level: 'silent' });
const DECISIONS = ['release', 'reject', 'pause', 'kill'] as const;

/**
 * What the world does to the processes of one schedule, and what it came to; each seed is another one. Equal seeds give
 * equal schedules: time passes only here, and nothing else waits.
 */
export async function runSchedule(seed: number): Promise<Fault[]> {
  const world = new World();
  for (const { plan } of simulatedPolicies) world.plans.push(plan);
  try {
    await new Schedule(world, seed).run();
  } catch (error) {
    const { message, cause } = error as Error;
    return [{ kind: 'diverged', what: cause instanceof Error ? `${message}: ${cause.message}` : message }];
  }
  const faults = await faultsOf(world);
  return seed % NAIVE_EVERY === 0 ? [...faults, ...(await naiveFaultsOf(world, simulatedPolicies))] : faults;
}

/** Till nothing is left to read or to say, and the owner has looked at the store. */
export async function settle(world: World, owner: Process): Promise<void> {
  for (let seen = -1, rounds = 0; seen !== world.high || rounds < 2; rounds++) {
    if (rounds > 50) throw new Error(`it does not come to an end, at offset ${world.high}`);
    seen = world.high;
    await owner.drain();
    await world.clock.advance(1500);
    await setImmediate();
    await owner.drain();
  }
}

class Schedule {
  readonly #world: World;
  readonly #random: () => number;
  readonly #processes: Process[] = [];
  readonly #parts: Partial<AnalyzerParts>;
  readonly #chunkSessions: number;
  readonly #actions = new Map<string, number>();
  /** Share of calls that do not go well, while things happen. */
  readonly #faulty: number;
  #calm = false;
  /** The store has lost what it had confirmed, at least once. */
  #lossy = false;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#random = mulberry(seed);
    this.#faulty = this.#pick([0, 0.02, 0.1]);
    this.#chunkSessions = this.#pick([1, 2, 400]);
    this.#parts = {
      checkpointIntervalMs: this.#pick([0, 1000, 1000]),
      retentionMs: this.#pick([40 * 60_000, Number.POSITIVE_INFINITY]),
      // Every second schedule keeps no session in memory that is saved.
      sessionBytesMax: seed % 2 === 0 ? 0 : Number.POSITIVE_INFINITY,
      policies: compiledPolicies,
      logger: SILENT,
    };
  }

  async run(): Promise<void> {
    const world = this.#world;
    this.#processes.push(this.#start());
    if (this.#chance(0.8)) this.#activate();
    for (let turn = 0; turn < TURNS; turn++) await this.#turn();
    // All who are left are gone; what they sent arrives before the last process takes over, or behind its back.
    for (const one of this.#processes) one.die();
    while (world.inFlight > 0 && this.#chance(0.7)) await this.#arrive();
    this.#calm = true;
    const last = this.#start();
    if (this.#chance(0.5)) await last.deliver(1 + this.#upTo(10));
    while (world.inFlight > 0) await this.#arrive();
    await settle(world, last);
    if (this.#chance(0.3)) {
      // Nothing comes any more, and what was written is gone: only a look at the store can find out.
      if (this.#chance(0.7)) this.#loseWrites(1 + this.#upTo(4));
      else this.#flush();
      await settle(world, last);
    }
    await last.stop();
    const { none, older } = world.stats.statesBehind;
    if (!this.#lossy && none + older > 0) throw new Error('a loss was told of a store that lost nothing');
  }

  async #turn(): Promise<void> {
    const world = this.#world;
    await this.#happen();
    const running = this.#processes.filter(({ dead }) => !dead).slice(-2);
    if (running.length === 0 || running.at(-1)!.dead) this.#processes.push(this.#start());
    const one = running[this.#upTo(running.length)] ?? this.#processes.at(-1)!;
    const delivering = one.deliver(1 + this.#upTo(12));
    await world.clock.advance(this.#pick([0, 400, 1000, 2500]));
    await delivering;
  }

  async #happen(): Promise<void> {
    const world = this.#world;
    const current = this.#processes.at(-1)!;
    const happenings: [weight: number, happen: () => void | Promise<void>][] = [
      [12, () => this.#act()],
      [2, () => this.#activate()],
      [1, () => this.#control()],
      [1, () => current.die()],
      [1, () => current.lose()],
      [1, () => void this.#processes.push(this.#start())], // the one before does not know yet, and goes on
      [1, () => this.#loseWrites(this.#upTo(5))],
      [2, () => void (world.inFlight > 0 && this.#arrive())],
      [0.3, () => this.#flush()],
      [0.5, () => this.#setBrokerClock()],
      [1, () => this.#leap()],
      [1, () => this.#loseTenure()],
    ];
    let left = this.#random() * happenings.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, happen] of happenings) {
      left -= weight;
      if (left >= 0) continue;
      return happen();
    }
  }

  #loseWrites(count: number): void {
    const { state } = this.#world;
    this.#lossy ||= count > 0;
    state.loseWrites(Math.max(0, Math.min(count, state.remembered)));
  }

  #flush(): void {
    this.#lossy = true;
    this.#world.state.flush();
  }

  /** A failover takes a whole tenure back, and somebody comes to the same sequence, while its owner goes on. */
  async #loseTenure(): Promise<void> {
    const { state } = this.#world;
    const { writes } = state;
    await this.#goOn(this.#start());
    this.#loseWrites(state.writes - writes);
    await this.#goOn(this.#start());
  }

  async #goOn(process: Process): Promise<void> {
    this.#processes.push(process);
    await process.deliver(1 + this.#upTo(12));
  }

  #act(): void {
    for (let i = this.#upTo(6); i >= 0; i--) {
      const session = `s-${this.#upTo(SESSIONS)}`;
      const before = this.#actions.get(session) ?? 0;
      if (before >= ACTIONS_PER_SESSION) continue;
      this.#actions.set(session, before + 1);
      this.#world.act(session, {
        action: this.#pick(['delete', 'delete', 'read']),
        tool: this.#pick(['t1', 't1', 't2', 't3']),
      });
    }
  }

  #activate(): void {
    this.#world.activate(this.#pick(simulatedPolicies).activated);
  }

  /** What people, enforcers and owners write, and what is none of it. */
  #control(): void {
    const session = `s-${this.#upTo(SESSIONS)}`;
    const id = `r-${this.#world.high}`;
    this.#pick([
      () => this.#world.garbage(),
      () => this.#world.control('tick.v1', {}),
      () =>
        this.#world.control('decision.v1', { id, kind: this.#pick(DECISIONS), session, by: { id: 'kim' } }, session),
      () => this.#acknowledge(id, session),
      () => this.#answer(id),
      () => this.#order(id),
    ])();
  }

  /** Of a command that was said, or of none. */
  #acknowledge(id: string, otherwise: string): void {
    const said = this.#world.said('commands').flatMap(({ command }) => (command.session ? [command] : []));
    const last = said.length === 0 ? undefined : this.#pick(said);
    const { id: command = 'cmd', session = otherwise } = last ?? {};
    const status = this.#pick(['received', 'enforced', 'failed']);
    this.#world.control('command.acknowledged.v1', { id, command, session, status, enforcer: 'gw' }, session);
  }

  /** Of one of the last requests, so that some answers are stale and some come twice. */
  #answer(id: string): void {
    const asked = this.#world.said('findings').flatMap(({ finding }) => (finding.request ? [finding] : []));
    if (asked.length === 0) return;
    const { session, command, view } = this.#pick(asked.slice(-4));
    const kind = this.#pick(['release', 'release', 'release', 'reject']);
    const grant = this.#pick([{ marks: 2 }, { points: 1 }, { minutes: 1 }]);
    const answer = { id, kind, session, command, view, by: { id: 'kim' }, grant };
    this.#world.control('decision.v1', answer, session);
  }

  /** An order for every agent there is. */
  #order(id: string): void {
    const scope = { type: 'agent', id: 'a' };
    this.#world.control('decision.v1', { id, kind: this.#pick(['pause', 'lift', 'lift']), scope, by: { id: 'kim' } });
  }

  #setBrokerClock(): void {
    this.#world.brokerAheadMs = this.#pick([0, -7000, -60_000, 5000, 60_000]);
  }

  #leap(): void {
    this.#world.leaptMs += this.#pick([45_000, 90_000, 130_000, 420_000]);
  }

  async #arrive(): Promise<void> {
    await this.#world.deliverOne(this.#upTo(this.#world.inFlight));
  }

  #start(): Process {
    const delays = () => (this.#calm ? 0 : this.#upTo(3));
    const fates = () => (!this.#calm && this.#chance(this.#faulty) ? this.#pick(FATES) : undefined);
    return this.#world.process(this.#parts, { delays, fates, chunkSessions: this.#chunkSessions });
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#upTo(from.length)]!;
  }
}

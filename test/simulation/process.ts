import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { Fault } from '../../src/adapters/memory/memory-state.ts';
import { MemoryStateStore } from '../../src/adapters/memory/state-store.ts';
import { Analyzer, type AnalyzerParts } from '../../src/app/analyzer.ts';
import { Policies } from '../../src/app/policies.ts';
import type { Output } from '../../src/domain/output.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import type { LogSource, StateStore, Tenure } from '../../src/ports.ts';
import { HOME, type World } from './world.ts';

/** Every await of the application on the outside: what a process waits for there. */
export const POINTS = [
  'acquire',
  'discard',
  'read a record',
  'find an offset',
  'standing verdicts',
  'policy body',
  'load',
  'publish outputs',
  'publish proofs',
  'publish a lease',
  'publish a restatement',
  'write a chunk',
  'write the last chunk',
  'probe',
  'commit',
] as const;
export type Point = (typeof POINTS)[number];

/**
 * What becomes of one call. The process dies before the call takes effect or after it; or the call fails and was not
 * applied, was applied in part, was applied, is applied later; or it succeeds and is applied once more later.
 */
export const FATES = ['dies before', 'dies after', 'refused', 'half', 'reply_lost', 'late', 'twice'] as const;
export type Fate = (typeof FATES)[number];

export interface Surroundings {
  /** Turns of the event loop that the next call waits before it takes place. */
  delays?: () => number;
  /** What becomes of the next call; undefined: it is answered. */
  fates?: (point: Point) => Fate | undefined;
  /** Sessions that one chunk of a checkpoint may carry. */
  chunkSessions?: number;
}

/** A process as its source drives it. Each of its calls to the outside can be the last thing that it does. */
export class Process {
  readonly analyzer: Analyzer;
  readonly died: Promise<'died'>;
  readonly #world: World;
  readonly #surroundings: Surroundings;
  #kill!: () => void;
  #dead = false;
  #next: number | undefined;
  #lost = new AbortController();
  #failure: unknown;

  constructor(world: World, more: Partial<AnalyzerParts>, surroundings: Surroundings) {
    this.#world = world;
    this.#surroundings = surroundings;
    this.died = new Promise((resolve) => {
      this.#kill = () => resolve('died');
    });
    const { log, stats, wall: clock, library, logged, fatal, committed } = world;
    const source: LogSource = {
      run: async () => {},
      stop: async () => {},
      commit: (partition, next) => this.#call('commit', async () => void committed.set(partition, next)),
      reassign: () => this.lose(),
    };
    const policies = new Policies({
      get: (policy) => this.#call('policy body', () => library.get(policy)),
      put: (body) => library.put(body),
    });
    this.analyzer = new Analyzer({
      topic: log.topic,
      source,
      store: this.#store(),
      outlet: { publish: (outputs) => this.#publish(outputs), close: async () => {} },
      stats,
      clock,
      keyring: undefined,
      policies,
      logger: more.logger ?? pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
      retentionMs: 7 * 86_400_000,
      sessionBytesMax: Number.POSITIVE_INFINITY,
      checkpointIntervalMs: 1000,
      probeIntervalMs: 1000,
      leaseIntervalMs: 1000,
      verdictsOf: () => this.#call('standing verdicts', async () => world.standing),
      onFatal: (error) => fatal.push(error),
      ...more,
    });
    this.analyzer.start();
    this.analyzer.held([0]);
  }

  get dead(): boolean {
    return this.#dead;
  }

  die(): void {
    this.#dead = true;
    this.#kill();
    void this.analyzer.stop();
  }

  lose(): void {
    this.#lost.abort();
    this.#next = undefined;
  }

  /** The next records, after the assignment if there is none. Answers what happened. */
  async deliver(recordsMax = 500): Promise<'delivered' | 'at end' | 'failed' | 'died'> {
    return Promise.race([this.#deliver(recordsMax), this.died]);
  }

  /** Everything that the log holds, whatever fails on the way. */
  async drain(recordsMax = 500): Promise<void> {
    for (let failures = 0; failures < 30; ) {
      const happened = await this.deliver(recordsMax);
      if (happened === 'at end' || happened === 'died') return;
      if (happened === 'failed') failures++;
    }
    throw new Error('it goes on failing', { cause: this.#failure });
  }

  /** The end of a process that was asked to stop, and comes to it if it does not die meanwhile. */
  async stop(): Promise<void> {
    await Promise.race([this.#stop(), this.died]);
  }

  async #stop(): Promise<void> {
    await this.analyzer.stop();
    this.#lost.abort();
    await this.analyzer.saveAll();
  }

  async #deliver(recordsMax: number): Promise<'delivered' | 'at end' | 'failed'> {
    const { log } = this.#world;
    try {
      if (this.#next === undefined) await this.#assign();
      const first = this.#next!;
      const { high } = log.bounds(0);
      if (first === high) return 'at end';
      const records = log.slice(0, first, recordsMax);
      const next = first + records.length;
      const lost = this.#lost;
      await this.analyzer.batch({ partition: 0, first, next, records, high, heartbeat: async () => {} });
      if (!lost.signal.aborted) this.#next = next;
      return 'delivered';
    } catch (error) {
      this.#failure = error;
      this.lose();
      return 'failed';
    }
  }

  async #assign(): Promise<void> {
    const { log, committed } = this.#world;
    const lost = new AbortController();
    this.#lost = lost;
    const next = await this.analyzer.assigned({
      topicId: log.topicId,
      ...HOME,
      ...log.bounds(0),
      committed: committed.get(0),
      lost: lost.signal,
      read: (offset) => this.#call('read a record', async () => log.read(0, offset)),
      offsetAt: (timeMs) => this.#call('find an offset', async () => log.offsetAt(0, timeMs)),
    });
    if (lost.signal.aborted) throw new Error('lost meanwhile');
    this.#next = next;
  }

  #store(): StateStore {
    const { chunkSessions = 400 } = this.#surroundings;
    const { state } = this.#world;
    const chunkMax = { sessions: chunkSessions, bytes: Number.POSITIVE_INFINITY };
    const store = new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state, chunkMax });
    const mortal = (tenure: Tenure): Tenure => ({
      checkpoint: tenure.checkpoint,
      discarded: tenure.discarded,
      headers: tenure.headers,
      chunkMax: tenure.chunkMax,
      load: (sessions) => this.#stateCall('load', () => tenure.load(sessions)),
      write: (chunk) =>
        this.#stateCall(chunk.checkpoint ? 'write the last chunk' : 'write a chunk', () => tenure.write(chunk)),
      probe: () => this.#stateCall('probe', () => tenure.probe()),
    });
    return {
      acquire: (partition) => this.#stateCall('acquire', async () => mortal(await store.acquire(partition))),
      discard: (partition, reason) =>
        this.#stateCall('discard', async () => mortal(await store.discard(partition, reason))),
      close: async () => {},
    };
  }

  /** The simulated store knows itself what a call is that arrives late: one with the sequence that it was sent with. */
  #stateCall<T>(point: Point, call: () => Promise<T>): Promise<T> {
    return this.#meet(point, call, (fault) => {
      this.#world.state.failNext(fault === 'half' ? 'refused' : fault);
      return call();
    });
  }

  #publish(outputs: readonly Output[]): Promise<void> {
    const { outlet } = this.#world;
    return this.#call(
      pointOf(outputs),
      () => outlet.publish(outputs),
      () => outlet.publish(outputs.slice(0, Math.ceil(outputs.length / 2))),
    );
  }

  #call<T>(point: Point, call: () => Promise<T>, half: () => Promise<unknown> = async () => {}): Promise<T> {
    return this.#meet(point, call, async (fault) => {
      const { late } = this.#world;
      if (fault === 'half') await half();
      if (fault === 'reply_lost') await call();
      if (fault === 'late' || fault === 'twice') late.push(call);
      if (fault === 'twice') return call();
      throw new Error(`${point}: ${fault}`);
    });
  }

  async #meet<T>(point: Point, call: () => Promise<T>, fail: (fault: Fault | 'half') => Promise<T>): Promise<T> {
    const forever = new Promise<never>(() => {});
    for (let waits = this.#surroundings.delays?.() ?? 0; waits > 0; waits--) await setImmediate();
    if (this.#dead) return forever;
    const fate = this.#surroundings.fates?.(point);
    if (fate === 'dies before' || fate === 'dies after') {
      if (fate === 'dies after') await call().catch(() => undefined);
      this.die();
      return forever;
    }
    try {
      return await (fate === undefined ? call() : fail(fate));
    } finally {
      if (this.#dead) await forever;
    }
  }
}

function pointOf(outputs: readonly Output[]): Point {
  const [first] = outputs;
  if (first?.topic === 'leases') return 'publish a lease';
  if (first?.topic !== 'actions') return 'publish outputs';
  return first.record.type === 'state.restated.v1' ? 'publish a restatement' : 'publish proofs';
}

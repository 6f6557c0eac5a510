import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryState } from '../../src/adapters/memory/memory-state.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { MemoryStateStore } from '../../src/adapters/memory/state-store.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { Analyzer, type AnalyzerParts } from '../../src/app/analyzer.ts';
import { decodeCheckpointBody } from '../../src/app/checkpoint-body.ts';
import { Policies } from '../../src/app/policies.ts';
import { policyBytes } from '../../src/app/rule-folder.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output, Verdict } from '../../src/domain/output.ts';
import { controlKey } from '../../src/domain/partitioner.ts';
import { type PolicyActivated, TYPE_PREFIX } from '../../src/domain/record.ts';
import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { compilePolicy, ENGINE_VERSION, type Plan } from '../../src/engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import type { LogSource, StateStore, Tenure } from '../../src/ports.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';
import { hex, outcomeOf, type PartitionOutcome } from './oracle.ts';

export const HOME = { partition: 0, partitions: 1 };

export function bodyOf(when: Record<string, string>, settings: Partial<PolicySettings> = {}): PolicyBody {
  const rule = ruleOf({ match: { action: 'delete' }, when });
  return { format: 1, settings: PolicySettings.parse(settings), rules: [rule] };
}

/** One partition, its log, state and outputs, and time that passes when it is told to. Processes come and go. */
export class World {
  readonly clock = new ManualClock(START_MS);
  readonly log = new MemoryLog({ topic: 'firebreak.actions', topicId: 'T', partitions: 1, clock: this.clock });
  readonly state = new MemoryState({ rememberedWrites: 8 });
  readonly outlet = new MemoryOutlet({
    log: this.log,
    clock: this.clock,
    topicPrefix: 'firebreak.',
    source: '/firebreak',
    expireAfterMs: 60_000,
  });
  readonly library = new MemoryPolicyLibrary(ENGINE_VERSION);
  readonly stats = new Stats();
  readonly committed = new Map<number, number>();
  readonly plans: Plan[] = [];
  readonly logged: { level: number; msg: string }[] = [];
  readonly fatal: Error[] = [];
  standing: Verdict[] = [];
  #events = 0;

  async policy(body: PolicyBody, stored: 'stored' | 'missing' = 'stored'): Promise<PolicyActivated> {
    const library = stored === 'stored' ? this.library : new MemoryPolicyLibrary(ENGINE_VERSION);
    const policy = await library.put(policyBytes(body));
    this.plans.push(compilePolicy(policy.hash, body));
    return policy;
  }

  activate(body: PolicyActivated): void {
    this.control('policy.activated.v1', body);
  }

  control(type: string, body: object): void {
    const headers = { ce_type: TYPE_PREFIX + type };
    this.log.append({ key: Buffer.from(controlKey(0)), value: Buffer.from(JSON.stringify(body)), headers }, 0);
  }

  act(session: string, more: Partial<ActionEvent> = {}): void {
    const time = formatInstant(this.clock.nowMs());
    const id = `e-${this.#events++}`;
    const event = { id, time, session, agent: { id: 'a' }, tool: 't', action: 'delete', outcome: 'ok', ...more };
    this.log.append({ key: Buffer.from(session), value: Buffer.from(JSON.stringify(event)), headers: {} });
  }

  garbage(): void {
    this.log.append({ key: Buffer.from('g'), value: Buffer.from('{'), headers: {} });
  }

  process(more: Partial<AnalyzerParts> = {}, delays: () => number = () => 0): Process {
    return new Process(this, more, delays);
  }

  get high(): number {
    return this.log.bounds(0).high;
  }

  oracle(): PartitionOutcome {
    return outcomeOf('T', HOME, this.log.slice(0, 0, this.high), this.plans);
  }

  said<Topic extends Output['topic']>(topic: Topic): Extract<Output, { topic: Topic }>[] {
    return this.outlet.outputs.filter((output): output is Extract<Output, { topic: Topic }> => output.topic === topic);
  }

  messages(level: number): string[] {
    return this.logged.filter((one) => one.level === level).map(({ msg }) => msg);
  }

  /** What the store holds, as whoever acquires next sees it. */
  async stored() {
    const tenure = await new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state: this.state }).acquire(0);
    const names = [...tenure.headers.keys()].sort();
    const bytes = await tenure.load(names);
    const body = tenure.checkpoint && decodeCheckpointBody(tenure.checkpoint.partition);
    return {
      next: tenure.checkpoint?.next,
      body,
      sessions: Object.fromEntries(names.map((name, i) => [name, hex(bytes[i]!)])),
    };
  }
}

/** A process as its source drives it. Each of its calls to the outside can be the last thing that it does. */
export class Process {
  readonly analyzer: Analyzer;
  readonly died: Promise<'died'>;
  readonly #world: World;
  readonly #delays: () => number;
  #kill!: () => void;
  #fuse = { calls: Number.POSITIVE_INFINITY, applied: false };
  #dead = false;
  #next: number | undefined;
  #lost = new AbortController();

  constructor(world: World, more: Partial<AnalyzerParts>, delays: () => number) {
    this.#world = world;
    this.#delays = delays;
    this.died = new Promise((resolve) => {
      this.#kill = () => resolve('died');
    });
    const { log, outlet, stats, clock, library, state, logged, fatal, committed } = world;
    const source: LogSource = {
      run: async () => {},
      stop: async () => {},
      commit: (partition, next) => this.#call(async () => void committed.set(partition, next)),
      reassign: () => this.lose(),
    };
    this.analyzer = new Analyzer({
      topic: log.topic,
      source,
      store: this.#store(new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state })),
      outlet: { publish: (outputs) => this.#call(() => outlet.publish(outputs)), close: async () => {} },
      stats,
      clock,
      keyring: undefined,
      policies: new Policies({ ...library, get: (policy) => library.get(policy), put: (body) => library.put(body) }),
      logger: pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
      retentionMs: 7 * 86_400_000,
      checkpointIntervalMs: 1000,
      probeIntervalMs: 1000,
      leaseIntervalMs: 1000,
      verdictsOf: async () => world.standing,
      onFatal: (error) => fatal.push(error),
      ...more,
    });
    this.analyzer.start();
    this.analyzer.held([0]);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Dies at the call of that number from now: before it takes effect, or after. */
  dieAt(calls: number, when: 'before' | 'after'): void {
    this.#fuse = { calls, applied: when === 'after' };
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
    throw new Error(`it goes on failing: ${JSON.stringify(this.#world.logged.slice(-3))}`);
  }

  /** The end of a process that was asked to stop. */
  async stop(): Promise<void> {
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
    } catch {
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
      read: (offset) => this.#call(async () => log.read(0, offset)),
      offsetAt: (timeMs) => this.#call(async () => log.offsetAt(0, timeMs)),
    });
    if (lost.signal.aborted) throw new Error('lost meanwhile');
    this.#next = next;
  }

  #store(store: StateStore): StateStore {
    const mortal = (tenure: Tenure): Tenure => ({
      checkpoint: tenure.checkpoint,
      discarded: tenure.discarded,
      headers: tenure.headers,
      load: (sessions) => this.#call(() => tenure.load(sessions)),
      write: (chunk) => this.#call(() => tenure.write(chunk)),
      probe: () => this.#call(() => tenure.probe()),
    });
    return {
      acquire: (partition) => this.#call(async () => mortal(await store.acquire(partition))),
      discard: (partition, reason) => this.#call(async () => mortal(await store.discard(partition, reason))),
      close: async () => {},
    };
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    for (let waits = this.#delays(); waits > 0; waits--) await setImmediate();
    const forever = new Promise<never>(() => {});
    if (this.#dead) return forever;
    if (--this.#fuse.calls < 0) {
      if (this.#fuse.applied) await call().catch(() => undefined);
      this.die();
      return forever;
    }
    try {
      return await call();
    } finally {
      if (this.#dead) await forever;
    }
  }
}

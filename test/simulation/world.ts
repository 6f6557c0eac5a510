import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryState } from '../../src/adapters/memory/memory-state.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { MemoryStateStore } from '../../src/adapters/memory/state-store.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import type { AnalyzerParts } from '../../src/app/analyzer.ts';
import { decodeCheckpointBody } from '../../src/app/checkpoint-body.ts';
import { policyBytes } from '../../src/app/rule-folder.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output, Verdict } from '../../src/domain/output.ts';
import { controlKey } from '../../src/domain/partitioner.ts';
import { type PolicyActivated, TYPE_PREFIX } from '../../src/domain/record.ts';
import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { compilePolicy, ENGINE_VERSION, type Plan } from '../../src/engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import type { Clock } from '../../src/ports.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';
import { hex, outcomeOf, type PartitionOutcome } from './oracle.ts';
import { Process, type Surroundings } from './process.ts';

export const HOME = { partition: 0, partitions: 1 };

export function bodyOf(when: Record<string, string>, settings: Partial<PolicySettings> = {}): PolicyBody {
  const rule = ruleOf({ match: { action: 'delete' }, when });
  return { format: 1, settings: PolicySettings.parse(settings), rules: [rule] };
}

/** One partition, its log, state and outputs, and time that passes when it is told to. Processes come and go. */
export class World {
  readonly clock = new ManualClock(START_MS);
  /** What the wall clocks were set forward by meanwhile: time that passes without anybody being awake for it. */
  leaptMs = 0;
  /** How far the clock of the broker, which gives the append times, is from everybody else's. */
  brokerAheadMs = 0;
  readonly wall: Clock = {
    nowMs: () => this.clock.nowMs() + this.leaptMs,
    monotonicMs: () => this.clock.monotonicMs(),
    sleep: (durationMs, signal) => this.clock.sleep(durationMs, signal),
  };
  readonly log = new MemoryLog({
    topic: 'firebreak.actions',
    topicId: 'T',
    partitions: 1,
    clock: { nowMs: () => this.wall.nowMs() + this.brokerAheadMs },
  });
  readonly state = new MemoryState({ rememberedWrites: 8 });
  readonly outlet = new MemoryOutlet({
    log: this.log,
    clock: this.wall,
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
  /** Calls to anything but the state store that arrive after their caller has given them up. */
  readonly late: (() => Promise<unknown>)[] = [];
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

  control(type: string, body: object, key = controlKey(0)): void {
    const headers = { ce_type: TYPE_PREFIX + type };
    this.log.append({ key: Buffer.from(key), value: Buffer.from(JSON.stringify(body)), headers }, 0);
  }

  act(session: string, more: Partial<ActionEvent> = {}): void {
    const time = formatInstant(this.wall.nowMs());
    const id = `e-${this.#events++}`;
    const event = { id, time, session, agent: { id: 'a' }, tool: 't', action: 'delete', outcome: 'ok', ...more };
    this.log.append({ key: Buffer.from(session), value: Buffer.from(JSON.stringify(event)), headers: {} });
  }

  garbage(): void {
    this.log.append({ key: Buffer.from('g'), value: Buffer.from('{'), headers: {} });
  }

  process(more: Partial<AnalyzerParts> = {}, surroundings: Surroundings = {}): Process {
    return new Process(this, more, surroundings);
  }

  /** How many calls are still on their way. */
  get inFlight(): number {
    return this.late.length + this.state.inFlight;
  }

  /** One of them arrives, whatever was sent before it. */
  async deliverOne(at: number): Promise<void> {
    if (at >= this.late.length) this.state.deliverOne(at - this.late.length);
    else for (const call of this.late.splice(at, 1)) await call();
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

import { pino } from 'pino';
import { expect, it } from 'vitest';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { connectRedis, RedisSettings } from '../../src/adapters/redis/connection.ts';
import { RedisStateStore } from '../../src/adapters/redis/state-store.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { Analyzer } from '../../src/app/analyzer.ts';
import { Policies } from '../../src/app/policies.ts';
import { policyBytes } from '../../src/app/rule-folder.ts';
import type { Output } from '../../src/domain/output.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import type { Assignment, LogSource } from '../../src/ports.ts';
import { runsOf } from '../properties/runs.ts';
import { startRedis } from '../services/redis.ts';
import { ownPrefix } from '../services/shared.ts';
import { bodyOf } from '../simulation/world.ts';

const USUAL = 8000;
const { numRuns: FLOOD } = runsOf({ numRuns: USUAL });
const LONG_MS = 3_600_000;
const PARTITIONS = 8;
const BATCH = 300;
const RISKY = 100;
const MIB = 1024 * 1024;
/** Little, so that the short run is over it too. */
const BUDGET_BYTES = FLOOD > USUAL ? 256 * MIB : 4 * MIB;
/** What is known of a session that is not in memory: its name and its next timer. */
const INDEX_BYTES = 200;
/** Code, buffers of the clients, and what the collector leaves lying about. */
const ELSE_BYTES = 600 * MIB;
const TOLD_EACH = 500_000;
/** The machine may be busy with other tests; what is measured is memory. */
const PATIENCE_MS = 120_000;
const START_MS = 1_700_000_000_000;

interface ReadLog {
  next: number;
  waiting: RawRecord[];
  last: RawRecord | undefined;
}

/** Analyzers, one after another, on a Redis; the log is made as they read it. */
class Flooded {
  readonly commands: string[] = [];
  readonly stats = new Stats();
  readonly #logs = Array.from({ length: PARTITIONS }, (): ReadLog => ({ next: 0, waiting: [], last: undefined }));
  readonly #library = new MemoryPolicyLibrary(ENGINE_VERSION);
  readonly #store: RedisStateStore;
  analyzer: Analyzer;
  #said = 0;

  constructor(store: RedisStateStore) {
    this.#store = store;
    this.analyzer = this.#analyzer();
  }

  async start(): Promise<void> {
    const { settings, ...body } = bodyOf({ watch: 'n > 1', pause: 'n > 4', kill: 'n > 7' });
    // One agent begins them all: what is looked at is how they are held one by one.
    const unbounded = { newSessionsPerMinute: Number.MAX_SAFE_INTEGER, sessionsMax: Number.MAX_SAFE_INTEGER };
    const policy = await this.#library.put(policyBytes({ ...body, settings: { ...settings, ...unbounded } }));
    await this.takeOver();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await this.#append(partition, `fb:${partition}`, policy, { ce_type: 'dev.firebreak.policy.activated.v1' });
    }
  }

  async takeOver(): Promise<void> {
    this.analyzer.start();
    const partitions = [...this.#logs.keys()];
    this.analyzer.held(partitions);
    for (const partition of partitions) {
      expect(await this.analyzer.assigned(this.#assignment(partition))).toBe(this.#logs[partition]!.next);
    }
  }

  async restart(): Promise<void> {
    await this.drain();
    await this.stop();
    this.analyzer = this.#analyzer();
    await this.takeOver();
  }

  async stop(): Promise<void> {
    await this.analyzer.stop();
    await this.analyzer.saveAll();
  }

  act(session: string, action: string): Promise<void> {
    const time = new Date(START_MS).toISOString();
    const event = { id: `e-${this.#said}`, time, session, agent: { id: 'a' }, tool: 't', action };
    return this.#append(partitionOf(session, PARTITIONS), session, event, {});
  }

  async drain(): Promise<void> {
    for (const partition of this.#logs.keys()) await this.#deliver(partition);
  }

  async #append(partition: number, key: string, value: unknown, headers: RawRecord['headers']): Promise<void> {
    const { waiting, next } = this.#logs[partition]!;
    const appendMs = START_MS + Math.floor(this.#said++ / 100);
    const bytes = Buffer.from(JSON.stringify(value));
    waiting.push({ offset: next + waiting.length, appendMs, key: Buffer.from(key), value: bytes, headers });
    if (waiting.length === BATCH) await this.#deliver(partition);
  }

  async #deliver(partition: number): Promise<void> {
    const log = this.#logs[partition]!;
    const { next: first, waiting: records } = log;
    if (records.length === 0) return;
    log.next += records.length;
    log.waiting = [];
    log.last = records.at(-1);
    const batch = { partition, first, next: log.next, high: log.next, records, heartbeat: async () => undefined };
    await this.analyzer.batch(batch);
  }

  #assignment(partition: number): Assignment {
    const { next, last } = this.#logs[partition]!;
    return {
      topicId: 'T',
      partition,
      partitions: PARTITIONS,
      low: 0,
      high: next,
      committed: next,
      lost: new AbortController().signal,
      read: async () => last,
      offsetAt: async () => next,
    };
  }

  #analyzer(): Analyzer {
    const fail = (error: unknown) => {
      throw error;
    };
    const source: LogSource = {
      run: async () => undefined,
      stop: async () => undefined,
      commit: async () => undefined,
      reassign: (partition) => fail(new Error(`partition ${partition} was given up`)),
    };
    const publish = async (outputs: readonly Output[]) => {
      for (const output of outputs) {
        if (output.topic === 'commands') this.commands.push(`${output.command.action} ${output.command.session}`);
      }
    };
    return new Analyzer({
      topic: 'firebreak.actions',
      source,
      store: this.#store,
      outlet: { publish, close: async () => undefined },
      stats: this.stats,
      clock: systemClock,
      keyring: undefined,
      policies: new Policies(this.#library),
      logger: pino({ level: 'silent' }),
      retentionMs: 7 * 86_400_000,
      sessionBytesMax: BUDGET_BYTES,
      checkpointIntervalMs: 1000,
      probeIntervalMs: 1000,
      leaseIntervalMs: 60_000,
      verdictsOf: async () => [],
      onFatal: fail,
    });
  }
}

function tell(sessions: number, startedMs: number): void {
  const { rss, heapUsed } = process.memoryUsage();
  const perSecond = Math.round((sessions * 1000) / (performance.now() - startedMs));
  const mib = (bytes: number) => Math.round(bytes / MIB);
  if (FLOOD > USUAL)
    console.log(`${sessions} sessions, ${perSecond}/s: RSS ${mib(rss)} MiB, heap ${mib(heapUsed)} MiB`);
}

it(
  'a flood of sessions stays within its memory, and risky ones are killed all the same',
  async () => {
    const redis = await startRedis({ keep: 'nothing' });
    const settings = RedisSettings.parse({ url: redis.url, commandTimeoutMs: PATIENCE_MS });
    const store = new RedisStateStore(await connectRedis(settings, () => undefined), {
      headerBytes: SESSION_HEADER_BYTES,
      prefix: ownPrefix(),
    });
    try {
      const flooded = new Flooded(store);
      await flooded.start();
      const risky = Array.from({ length: RISKY }, (_, n) => `risky-${n}`);
      for (let time = 0; time < 5; time++) for (const session of risky) await flooded.act(session, 'delete');
      const startedMs = performance.now();
      for (let n = 1; n <= FLOOD; n++) {
        await flooded.act(`session-of-the-flood-${n}`, 'delete');
        if (n % TOLD_EACH === 0) tell(n, startedMs);
      }
      tell(FLOOD, startedMs);
      const { rss } = process.memoryUsage();
      if (FLOOD > USUAL) expect(rss).toBeLessThan(BUDGET_BYTES + INDEX_BYTES * FLOOD + ELSE_BYTES);
      for (let time = 0; time < 2; time++) for (const session of risky) await flooded.act(session, 'delete');
      // What is known of all of them is read anew; then the eighth delete of each is one too many.
      const restartedMs = performance.now();
      await flooded.restart();
      if (FLOOD > USUAL) console.log(`taken over again after ${Math.round(performance.now() - restartedMs)} ms`);
      tell(FLOOD, startedMs);
      for (const session of risky) await flooded.act(session, 'delete');
      await flooded.drain();
      await flooded.stop();
      const wanted = risky.flatMap((session) => [`pause ${session}`, `kill ${session}`]);
      expect(flooded.commands.sort()).toEqual(wanted.sort());
    } finally {
      await store.close();
      await redis.stop();
    }
  },
  LONG_MS,
);

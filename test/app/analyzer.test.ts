import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryLogSource } from '../../src/adapters/memory/log-source.ts';
import { MemoryState } from '../../src/adapters/memory/memory-state.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { MemoryStateStore } from '../../src/adapters/memory/state-store.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { Analyzer } from '../../src/app/analyzer.ts';
import { decodeCheckpointBody } from '../../src/app/checkpoint-body.ts';
import { Policies } from '../../src/app/policies.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { compilePolicy, ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import { ruleOf } from '../engine/harness.ts';
import { hex, outcomeOf } from '../simulation/oracle.ts';

const body: PolicyBody = {
  format: 1,
  settings: PolicySettings.parse({}),
  rules: [ruleOf({ match: { action: 'delete' }, when: { watch: 'n > 5', pause: 'n > 10', kill: 'n > 20' } })],
};

/** One process after another on the same log and the same state, as far as memory can play it. */
async function setUp(partitions = 3) {
  const log = new MemoryLog({ topic: 'firebreak.actions', topicId: 'T', partitions, clock: systemClock });
  const state = new MemoryState();
  const committed = new Map<number, number>();
  const library = new MemoryPolicyLibrary(ENGINE_VERSION);
  const policy = await library.put(Buffer.from(canonicalJson(body)));
  const wire = { topicPrefix: 'firebreak.', source: '/firebreak', expireAfterMs: 60_000 };
  const outlet = new MemoryOutlet({ log, clock: systemClock, ...wire });
  for (let partition = 0; partition < partitions; partition++) {
    await outlet.publish([
      { topic: 'actions', key: `fb:${partition}`, partition, record: { type: 'policy.activated.v1', body: policy } },
    ]);
  }
  const stats = new Stats();
  const process = () => {
    const source = new MemoryLogSource({ log, clock: systemClock, committed, recordsMax: 50 });
    const store = new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state });
    const fatal: Error[] = [];
    const analyzer = new Analyzer({
      topic: log.topic,
      source,
      store,
      outlet,
      stats,
      clock: systemClock,
      keyring: undefined,
      policies: new Policies(library),
      logger: pino({ level: 'silent' }),
      retentionMs: 7 * 86_400_000,
      sessionBytesMax: 64 * 1024,
      checkpointIntervalMs: 5,
      probeIntervalMs: 5,
      leaseIntervalMs: 10,
      verdictsOf: async () => [],
      onFatal: (error) => fatal.push(error),
    });
    analyzer.start();
    const running = source.run(analyzer);
    const stop = async () => {
      await analyzer.stop();
      await source.stop();
      await analyzer.saveAll();
      await running;
    };
    const settle = async () => {
      await setImmediate(); // what was appended wakes the source first
      await source.drained();
    };
    return { source, store, analyzer, stop, settle, fatal };
  };
  const act = (i: number, sessions: number) => {
    const session = `s-${i % sessions}`;
    const event = {
      id: `e-${i}`,
      time: new Date().toISOString(),
      session,
      agent: { id: 'a' },
      tool: 't',
      action: i % 3 ? 'delete' : 'read',
    };
    log.append({ key: Buffer.from(session), value: Buffer.from(JSON.stringify(event)), headers: {} });
  };
  const expectOracle = async () => {
    const plan = compilePolicy(policy.hash, body);
    const ids = new Set(outlet.outputs.flatMap((o) => (o.topic === 'commands' ? [o.command.id] : [])));
    const wanted = new Set<string>();
    for (let partition = 0; partition < partitions; partition++) {
      const store = new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state });
      const tenure = await store.acquire(partition);
      const { next } = tenure.checkpoint!;
      const records = log.slice(partition, 0, next);
      expect(next).toBe(log.bounds(partition).high);
      const oracle = outcomeOf('T', { partition, partitions }, records, [plan]);
      const names = [...tenure.headers.keys()].sort();
      const bytes = await tenure.load(names);
      expect(Object.fromEntries(names.map((name, i) => [name, hex(bytes[i]!)]))).toEqual(oracle.sessions);
      const { state: saved } = decodeCheckpointBody(tenure.checkpoint!.partition);
      expect(saved).toEqual(JSON.parse(oracle.partition));
      for (const id of oracle.commands) wanted.add(id);
    }
    expect(ids).toEqual(wanted);
    expect(wanted.size).toBeGreaterThan(0);
  };
  return { log, state, outlet, process, act, stats, expectOracle, committed };
}

describe('the analyzer', () => {
  it('comes to what a single process without failures comes to', async () => {
    const { process, act, expectOracle } = await setUp();
    const running = process();
    for (let i = 0; i < 1500; i++) act(i, 40);
    await running.settle();
    await running.stop();
    await expectOracle();
  });

  it('a process that stops without saving repeats itself to the same ids', async () => {
    const { process, act, expectOracle, outlet } = await setUp();
    for (let i = 0; i < 600; i++) act(i, 20);
    const first = process();
    await first.settle();
    await first.analyzer.stop();
    await first.source.stop(); // no saveAll: as after a kill
    for (let i = 600; i < 900; i++) act(i, 20);
    const second = process();
    await second.settle();
    await second.stop();
    await expectOracle();
    expect(outlet.outputs.filter((o) => o.topic === 'commands').length).toBeGreaterThan(0);
  });

  it('a process that takes over knows the levels of all sessions, before it has loaded one', async () => {
    const { process, act, stats } = await setUp();
    for (let i = 0; i < 600; i++) act(i, 20);
    const first = process();
    await first.settle();
    await first.stop();
    stats.partitions.clear(); // the metrics of another process
    const second = process();
    // 20 of the 30 actions of each are deletions: the last before a kill.
    await expect
      .poll(() => stats.sessionsByLevel(), { timeout: 5000 })
      .toEqual({ clear: 0, watch: 0, paused: 20, killed: 0 });
    expect([...stats.partitions.values()].reduce((sum, { stored = 0 }) => sum + stored, 0)).toBe(20);
    await second.stop();
  });

  it.each(['before', 'halfway', 'after'] as const)(
    'a publish that fails %s writing is repeated, never stepped twice',
    async (point) => {
      const { process, act, expectOracle, outlet } = await setUp();
      const running = process();
      for (let round = 0; round < 6; round++) {
        outlet.failNext(new Error('broker away'), point);
        for (let i = 0; i < 200; i++) act(round * 200 + i, 20);
        await running.settle();
      }
      await running.stop();
      await expectOracle();
    },
  );

  it('two processes that both believe to own everything: the older one is fenced', async () => {
    const { process, act, expectOracle, stats } = await setUp();
    const first = process();
    for (let i = 0; i < 300; i++) act(i, 20);
    await first.settle();
    const second = process();
    await second.settle();
    for (let i = 300; i < 600; i++) act(i, 20);
    await second.settle();
    await first.stop();
    await second.stop();
    const last = process();
    await last.settle();
    await last.stop();
    await expectOracle();
    expect(stats.tenuresLost.fenced).toBeGreaterThan(0);
  });

  it('state that is lost is found within a probe and rebuilt from the log', async () => {
    const { process, act, expectOracle, state, stats } = await setUp();
    const running = process();
    for (let i = 0; i < 600; i++) act(i, 20);
    await running.settle();
    await systemClock.sleep(50);
    state.flush();
    await expect.poll(() => stats.rebuilds, { timeout: 5000 }).toBeGreaterThan(0);
    await running.settle();
    for (let i = 600; i < 700; i++) act(i, 20);
    await running.settle();
    await running.stop();
    await expectOracle();
  });
});

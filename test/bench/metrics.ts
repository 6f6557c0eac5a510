import { pino } from 'pino';
import { expect, it } from 'vitest';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryLogSource } from '../../src/adapters/memory/log-source.ts';
import { MemoryState } from '../../src/adapters/memory/memory-state.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { MemoryStateStore } from '../../src/adapters/memory/state-store.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { metricsOf } from '../../src/adapters/telemetry/metrics.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { Analyzer } from '../../src/app/analyzer.ts';
import { Policies } from '../../src/app/policies.ts';
import { loadPolicyFolder, policyBytes } from '../../src/app/rule-folder.ts';
import { ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import { honestActions } from './actions.ts';

/*
 * What the metrics cost: the analyzer on memory adapters with the shipped rules, counting and scraped each second (a real
 * scraper comes each fifteen), beside the same that counts nothing and is never scraped. In turns; the ratio is the result.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 150_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SCRAPE_MS = 1000;

class SilentStats extends Stats {
  override countRecord(): void {}
  override countFinding(): void {}
  override countCommand(): void {}
  override observeAudit(): void {}
  override noteTrace(): void {}
}

it('metrics on and off, in turns', async () => {
  const body = policyBytes(await loadPolicyFolder('rules'));
  const messages = [...honestActions({ sessions: 2000, events: EVENTS, endMs: Date.now() })];
  const ratios: number[] = [];
  await judged(body, messages, new Stats()); // warm
  for (let round = 1; round <= ROUNDS; round++) {
    const first = round % 2 === 0 ? await judged(body, messages, new SilentStats()) : undefined;
    const on = await judged(body, messages, new Stats());
    const off = first ?? (await judged(body, messages, new SilentStats()));
    ratios.push(on / off);
    say(`round ${round}: on ${on.toFixed(0)} events/s, off ${off.toFixed(0)} events/s, ratio ${(on / off).toFixed(3)}`);
  }
  const sorted = ratios.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  say(
    `metrics on/off: median ${median.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)}), ${EVENTS} events a run`,
  );
});

/** Events per second. */
async function judged(
  body: Uint8Array,
  messages: Iterable<{ key?: unknown; value?: unknown }>,
  stats: Stats,
): Promise<number> {
  const log = new MemoryLog({ topic: 'firebreak.actions', topicId: 'T', partitions: 4, clock: systemClock });
  const library = new MemoryPolicyLibrary(ENGINE_VERSION);
  const policy = await library.put(body);
  const outlet = new MemoryOutlet({
    log,
    clock: systemClock,
    topicPrefix: 'firebreak.',
    source: '/b',
    expireAfterMs: 60_000,
  });
  for (let partition = 0; partition < 4; partition++) {
    await outlet.publish([
      { topic: 'actions', key: `fb:${partition}`, partition, record: { type: 'policy.activated.v1', body: policy } },
    ]);
  }
  for (const { key, value } of messages)
    log.append({ key: Buffer.from(key as string), value: Buffer.from(value as string), headers: {} });
  const source = new MemoryLogSource({ log, clock: systemClock, committed: new Map(), recordsMax: 1000 });
  const failures: Error[] = [];
  const analyzer = new Analyzer({
    topic: log.topic,
    source,
    store: new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES, state: new MemoryState() }),
    outlet,
    stats,
    clock: systemClock,
    keyring: undefined,
    policies: new Policies(library),
    logger: pino({ level: 'silent' }),
    retentionMs: 7 * 86_400_000,
    sessionBytesMax: 1 << 30,
    checkpointIntervalMs: 1000,
    probeIntervalMs: 1000,
    leaseIntervalMs: 1000,
    verdictsOf: async () => [],
    onFatal: (error) => failures.push(error),
  });
  const registry = metricsOf(stats, systemClock, 'openmetrics');
  const scraper = stats instanceof SilentStats ? undefined : setInterval(() => void registry.metrics(), SCRAPE_MS);
  const startedMs = performance.now();
  analyzer.start();
  const running = source.run(analyzer);
  await source.drained();
  const elapsedMs = performance.now() - startedMs;
  clearInterval(scraper);
  await analyzer.stop();
  await source.stop();
  await running;
  expect(failures).toEqual([]);
  return EVENTS / (elapsedMs / 1000);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

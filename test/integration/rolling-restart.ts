import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { type Analyzer, type Deployment, deploy, metricsOf, notReady } from './deployment.ts';
import { expectOneProcess } from './one-process.ts';
import { RULES, traffic } from './traffic.ts';

/*
 * Three analyzers are replaced one after another under load, as a Kubernetes deployment does it: the successor is ready
 * before its predecessor is told to go. Every 50 ms all of them are asked what they do and whether they are ready.
 */

const PARTITIONS = 8;
const PER_SECOND = 1000;
const SEND_EVERY_MS = 100;
const LOOK_EVERY_MS = 50;
const EVENTS = 60_000;

interface Progress {
  passed: number;
  sinceMs: number;
  longestMs: number;
}

let deployment: Deployment;
let redis: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  redis = await startRedis();
  deployment = await deploy({ partitions: PARTITIONS, rules: RULES, redisUrl: redis.url });
}, 120_000);
afterAll(async () => {
  await deployment?.close();
  await redis?.stop();
});

it('a rolling restart under load loses and invents nothing, and readiness is honest', {
  timeout: 300_000,
}, async () => {
  const messages = traffic({ sessions: 200, events: EVENTS, seed: 11, startMs: Date.now() });
  let running = [await deployment.run(), await deployment.run(), await deployment.run()];
  for (const one of running) await ready(one);
  let sent = 0;
  const producing = (async () => {
    for (const startMs = performance.now(); sent < EVENTS; await sleep(SEND_EVERY_MS)) {
      const due = Math.min(EVENTS, Math.ceil(((performance.now() - startMs) / 1000) * PER_SECOND));
      await deployment.produce(messages.slice(sent, due));
      sent = due;
    }
  })();
  const watch = new Watch();
  const watching = watch.run(() => running);
  await sleep(3000);
  const restarts: number[] = [];
  for (const old of [...running]) {
    const startMs = performance.now();
    const next = await deployment.run();
    running = [...running, next];
    await ready(next);
    expect(await old.stop()).toBe(0);
    running = running.filter((one) => one !== old);
    await Promise.all(running.map(ready));
    restarts.push((performance.now() - startMs) / 1000);
    await sleep(2000);
  }
  await producing;
  await deployment.settled(120_000);
  watch.stop();
  await watching;
  expect(watch.dishonest).toEqual([]);
  for (const one of running) expect(await one.stop()).toBe(0);
  await expectOneProcess(deployment, EVENTS);
  const pauses = [...watch.progress].map(
    ([partition, { longestMs }]) => `${partition}: ${(longestMs / 1000).toFixed(1)}`,
  );
  const longest = Math.max(...[...watch.progress.values()].map(({ longestMs }) => longestMs));
  console.log(`replaced in ${restarts.map((seconds) => seconds.toFixed(1)).join(', ')} s at ${PER_SECOND} events/s`);
  console.log(
    `longest time in which nothing of a partition was judged, s: ${pauses.join(', ')}; at most ${(longest / 1000).toFixed(1)}`,
  );
});

async function ready(analyzer: Analyzer): Promise<void> {
  await expect.poll(() => notReady(analyzer), { timeout: 60_000, interval: LOOK_EVERY_MS }).toEqual([]);
}

/** What is asked of all processes again and again: how far each partition is, and whether a ready one judges what it holds. */
class Watch {
  readonly progress = new Map<string, Progress>();
  readonly dishonest: string[] = [];
  #on = true;

  async run(running: () => readonly Analyzer[]): Promise<void> {
    const passedBy = new Map<Analyzer, Map<string, number>>();
    for (; this.#on; await sleep(LOOK_EVERY_MS)) {
      for (const analyzer of running()) {
        const seen = await look(analyzer);
        if (seen === undefined) continue; // it is on its way out, or not here yet
        passedBy.set(analyzer, seen.passed);
        if (seen.claims && seen.ready < seen.owned)
          this.dishonest.push(`port ${analyzer.httpPort}: ready, and judges ${seen.ready} of ${seen.owned} partitions`);
      }
      this.#note(passedBy);
    }
  }

  stop(): void {
    this.#on = false;
  }

  #note(passedBy: ReadonlyMap<Analyzer, ReadonlyMap<string, number>>): void {
    const nowMs = performance.now();
    const sums = new Map<string, number>();
    for (const passed of passedBy.values())
      for (const [partition, count] of passed) sums.set(partition, (sums.get(partition) ?? 0) + count);
    for (const [partition, passed] of sums) {
      const known = this.progress.get(partition) ?? { passed, sinceMs: nowMs, longestMs: 0 };
      known.longestMs = Math.max(known.longestMs, nowMs - known.sinceMs);
      if (passed > known.passed) Object.assign(known, { passed, sinceMs: nowMs });
      this.progress.set(partition, known);
    }
  }
}

/** Readiness is asked before and after the metrics: what changes in between is no claim. */
async function look(analyzer: Analyzer) {
  try {
    const before = await notReady(analyzer);
    const metrics = await metricsOf(analyzer);
    const after = await notReady(analyzer);
    const gauge = (name: string) => Number(new RegExp(`^firebreak_${name} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0);
    const passed = [...metrics.matchAll(/^firebreak_offsets_passed_total\{partition="(\d+)"\} (\d+)$/gm)];
    return {
      claims: before.length === 0 && after.length === 0,
      owned: gauge('partitions_owned'),
      ready: gauge('partitions_ready'),
      passed: new Map(passed.map(([, partition, count]) => [partition!, Number(count)])),
    };
  } catch {
    return undefined;
  }
}

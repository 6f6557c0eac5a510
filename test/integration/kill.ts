import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { expectOneProcess } from './one-process.ts';
import { mulberry, RULES, traffic } from './traffic.ts';

const PARTITIONS = 8;
const EVENTS = 50_000;

describe.each(['as it is', 'with FLUSHALL in between'])('two analyzers, one of them killed three times, %s', (how) => {
  let deployment: Deployment;
  let redis: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    redis = await startRedis(); // of its own: FLUSHALL concerns everybody
    deployment = await deploy({ partitions: PARTITIONS, rules: RULES, redisUrl: redis.url });
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await redis?.stop();
  });

  it('loses nothing, counts nothing twice', { timeout: 180_000 }, async () => {
    const random = mulberry(how.length);
    const messages = traffic({ sessions: 200, events: EVENTS, seed: how.length, startMs: Date.now() });
    const first = await deployment.run();
    let second: Analyzer = await deployment.run();
    const quarter = EVENTS / 4;
    for (let round = 0; round < 4; round++) {
      const producing = deployment.produce(messages.slice(round * quarter, (round + 1) * quarter));
      if (round < 3) {
        await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2000));
        await second.kill();
        if (round === 1 && how !== 'as it is') await deployment.redis.flushall();
        second = await deployment.run();
      }
      await producing;
    }
    await deployment.settled(120_000);
    if (how !== 'as it is') expect(first.log() + second.log()).toContain('rebuilding it from the whole log');
    expect(await first.stop()).toBe(0);
    expect(await second.stop()).toBe(0);
    await expectOneProcess(deployment, EVENTS);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Analyzer } from '../integration/deployment.ts';
import { type Watched, watched } from './watched.ts';

const WITHIN = { timeout: 60_000, interval: 250 };

/** `npm run test:long -- --part alerts`: faults are injected, alerts fire, and end when the fault does. */
describe('alerts on injected faults', { timeout: 180_000 }, () => {
  let world: Watched;
  let analyzer: Analyzer;
  const firing = () => world.prometheus.firing();

  beforeAll(async () => {
    world = await watched(2);
    await world.activate();
    analyzer = await world.start();
    await world.act(1, 500);
    await world.deployment.settled();
  }, 120_000);
  afterAll(() => world?.close());

  it('Redis loses all: rolled back, rebuilt, judged again', async () => {
    await expect.poll(firing, WITHIN).toEqual(['FirebreakWatchdog']);
    await world.redis.restart();
    await expect.poll(firing, WITHIN).toEqual(expect.arrayContaining(['FirebreakStateRolledBack', 'FirebreakRebuilt']));
    await expect.poll(firing, WITHIN).not.toContain('FirebreakPartitionsNotReady');
  });

  it('the analyzer is dead: nobody judges', async () => {
    await analyzer.kill();
    const dead = ['FirebreakAnalyzerDown', 'FirebreakNobodyJudges'];
    await expect.poll(firing, WITHIN).toEqual(expect.arrayContaining(dead));
  });

  it('a backlog and a quarter of a core: late, until it is worked off; then the dead are forgotten too', async () => {
    for (let seed = 10; seed < 16; seed++) await world.act(seed, 3000);
    analyzer = await world.start();
    const throttle = setInterval(() => {
      analyzer.process.kill('SIGSTOP');
      setTimeout(() => analyzer.process.kill('SIGCONT'), 300);
    }, 400);
    try {
      await expect.poll(firing, WITHIN).toContain('FirebreakLagging');
    } finally {
      clearInterval(throttle);
      setTimeout(() => analyzer.process.kill('SIGCONT'), 400);
    }
    await expect.poll(firing, WITHIN).not.toContain('FirebreakLagging');
    for (const over of ['FirebreakAnalyzerDown', 'FirebreakNobodyJudges']) {
      await expect.poll(firing, WITHIN).not.toContain(over);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Analyzer, notReady } from '../integration/deployment.ts';
import { type Watched, watched } from './watched.ts';

/** Losses that a take-over found, and those that an owner saw. */
const BEHIND = 'sum(firebreak_states_behind_total)';
const SEEN = 'sum(firebreak_tenures_lost_total{reason=~"rolled_back|state_lost"})';
const WITHIN = { timeout: 60_000, interval: 250 };

/** `npm run test:long -- --part alerts`: faults are injected, alerts fire, and end when the fault does. */
describe('alerts on injected faults', { timeout: 180_000 }, () => {
  let world: Watched;
  let analyzer: Analyzer;
  const firing = () => world.prometheus.firing();
  const numberOf = async (expr: string) => (await world.prometheus.query(expr))[0]?.value;

  beforeAll(async () => {
    world = await watched(2);
    await world.activate();
    analyzer = await world.start();
    await world.act(1, 500);
    await world.deployment.settled();
  }, 120_000);
  afterAll(() => world?.close());

  it('Redis comes back empty when every owner has left it already: rolled back, rebuilt, judged again', async () => {
    await expect.poll(() => numberOf(BEHIND), WITHIN).toBe(0); // from there on Prometheus sees an increase
    await expect.poll(firing, WITHIN).toEqual(['FirebreakWatchdog']);
    await world.redis.restart(async () => {
      await world.act(2, 500);
      await expect.poll(() => notReady(analyzer), WITHIN).toHaveLength(2);
    });
    await expect.poll(firing, WITHIN).toEqual(expect.arrayContaining(['FirebreakStateRolledBack', 'FirebreakRebuilt']));
    await expect.poll(firing, WITHIN).not.toContain('FirebreakPartitionsNotReady');
    await expect.poll(() => numberOf(SEEN), WITHIN).toBe(0); // a scrape may have failed just now
  });

  it('Redis forgets all while nothing happens: the owners see it', async () => {
    await world.deployment.settled();
    await world.deployment.redis.flushall();
    await expect.poll(() => numberOf(SEEN), WITHIN).toBeGreaterThanOrEqual(2);
    await expect.poll(firing, WITHIN).not.toContain('FirebreakPartitionsNotReady');
  });

  it('the analyzer is dead: nobody judges', async () => {
    await analyzer.kill();
    const dead = ['FirebreakAnalyzerDown', 'FirebreakNobodyJudges'];
    await expect.poll(firing, WITHIN).toEqual(expect.arrayContaining(dead));
  });

  it('a backlog and a quarter of a core: late, until it is worked off; then the dead are forgotten too', async () => {
    let seed = 10;
    const more = () => world.act(seed++, 3000);
    for (let i = 0; i < 6; i++) await more();
    analyzer = await world.start();
    const throttle = setInterval(() => {
      analyzer.process.kill('SIGSTOP');
      setTimeout(() => analyzer.process.kill('SIGCONT'), 300);
    }, 400);
    try {
      const lagging = async () => {
        // A fast machine has worked the backlog off before the first scrape; for a slow one more would be too much.
        if ((await numberOf('sum(firebreak_lag_records)')) === 0) await more();
        return firing();
      };
      await expect.poll(lagging, WITHIN).toContain('FirebreakLagging');
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

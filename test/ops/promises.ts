import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIONS_EACH, type Action, PROMISED, session } from './promised.ts';
import { type Watched, watched } from './watched.ts';

const WITHIN = { timeout: 60_000, interval: 250 };
/** `npm run test:long -- --part alerts`: what was promised is not kept, and somebody is told. */
describe('alerts on promises that are not kept', { timeout: 180_000 }, () => {
  let world: Watched;
  const firing = () => world.prometheus.firing();
  const act = (name: string, action: Action, count = ACTIONS_EACH) =>
    world.deployment.produce(
      session(name, Date.now(), Array<Action>(count).fill(action), 1).map((value) => ({
        key: name,
        value,
      })),
    );

  beforeAll(async () => {
    world = await watched(1, PROMISED);
    await world.activate();
    await world.start();
    await world.deployment.settled();
  }, 120_000);
  afterAll(() => world?.close());

  it('sessions are not as those that the baseline was learned from', async () => {
    await expect.poll(firing, WITHIN).toContain('FirebreakWatchdog');
    expect(await firing()).not.toContain('FirebreakBaselineDrifted');
    const names = Array.from({ length: 12 }, (_, n) => `drifting-${n}`);
    for (const name of names) await act(name, 'delete');
    await sleep(1500);
    for (const name of names) await act(name, 'read', 1); // a new life: the one before is over
    await expect.poll(firing, WITHIN).toContain('FirebreakBaselineDrifted');
  });

  it('pauses that nobody confirms, and that people release more often than the budget allows', async () => {
    const { cli, flags } = world.deployment;
    const kafka = flags.slice(0, 6);
    for (let n = 0; n < 7; n++) {
      const name = `honest-${n}`;
      await act(name, 'send');
      const release = ['release', name, '--grant', '1h', '--reason', 'honest work', ...kafka];
      await expect.poll(async () => (await cli(...release)).code, WITHIN).toBe(0);
    }
    const wanted = ['FirebreakBudgetOverrun', 'FirebreakCommandEscalated'];
    await expect.poll(firing, WITHIN).toEqual(expect.arrayContaining(wanted));
  });
});

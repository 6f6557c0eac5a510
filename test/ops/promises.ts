import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { type Watched, type World, watched } from './watched.ts';

const WITHIN = { timeout: 60_000, interval: 250 };
const ACTIONS = 10;

/** A session is over after a second without an action, so that a test can wait for it. No enforcer confirms anything. */
const RULES = `
kind: policy
idleEnd: 1s
acknowledgeWithin: 1s
publishAttempts: 1
---
kind: intent
id: destruction
title: Things deleted
match: { action: delete }
mode: shadow
---
kind: intent
id: outpouring
title: Messages sent
match: { action: send }
`;

/** One action in ten is a deletion, one a message. `timeMs`: of its first action, the others follow in a minute each. */
function session(name: string, timeMs: number, actions: readonly ActionEvent['action'][], apartMs: number): string[] {
  return actions.map((action, i) =>
    JSON.stringify({
      id: `${name}-${timeMs}-${i}`,
      time: new Date(timeMs + i * apartMs).toISOString(),
      session: name,
      agent: { id: 'a', role: 'helper' },
      tool: `${action}_item`,
      action,
      resource: { type: 'item', id: `item-${i}` },
      outcome: 'ok',
    }),
  );
}

const WORLD: World = {
  rules: RULES,
  history: Array.from({ length: 900 }, (_, n) => {
    const actions = Array.from({ length: ACTIONS }, (_, i) =>
      i === n % 10 ? 'delete' : i === (n >> 1) % 10 ? 'send' : 'read',
    );
    return session(`history-${n}`, Date.UTC(2026, 0, 5) + n * 60_000, actions as ActionEvent['action'][], 50);
  }).flat(),
  budgets: ['--watch', '5%', '--pause', '1%', '--kill', '1 in 10000'],
};

/** `npm run test:long -- --part alerts`: what was promised is not kept, and somebody is told. */
describe('alerts on promises that are not kept', { timeout: 180_000 }, () => {
  let world: Watched;
  const firing = () => world.prometheus.firing();
  const act = (name: string, action: ActionEvent['action'], count = ACTIONS) =>
    world.deployment.produce(
      session(name, Date.now(), Array<ActionEvent['action']>(count).fill(action), 1).map((value) => ({
        key: name,
        value,
      })),
    );

  beforeAll(async () => {
    world = await watched(1, WORLD);
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

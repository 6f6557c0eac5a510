import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DASHBOARDS } from '../../ops/dashboards.ts';
import { draw } from '../../ops/picture.ts';
import { ACTIONS_EACH, type Action, ordinary, PROMISED, session } from './promised.ts';
import { watched } from './watched.ts';

const SECONDS = 240;
const OUT = 'results/pictures';

/**
 * `npm run test:long -- --part pictures`: a session a second, some of which intents pause and a person releases; in the
 * last third half of them are not as those that were learned from. Then the dashboards are drawn, to be looked at.
 */
it('the dashboards show promises that are kept, and then are not', { timeout: 1_000_000 }, async () => {
  const world = await watched(2, PROMISED);
  try {
    await world.activate();
    await world.start();
    const startS = Math.floor(Date.now() / 1000);
    const { cli, flags, produce } = world.deployment;
    const all = (action: Action) => Array<Action>(ACTIONS_EACH).fill(action);
    const act = (key: string, actions: Action[]) =>
      produce(session(key, Date.now(), actions, 1).map((value) => ({ key, value })));
    for (let n = 0; n < SECONDS; n++) {
      // A session that acts again after its idle end begins another life, and the one before is finished.
      await act(`session-${n % 20}`, n > (SECONDS * 2) / 3 && n % 2 === 0 ? all('delete') : ordinary(n));
      if (n % 40 === 20) await act(`mailing-${n}`, all('send'));
      if (n % 40 === 25) {
        const why = ['--grant', '1h', '--reason', 'the monthly mailing'];
        expect((await cli('release', `mailing-${n - 5}`, ...why, ...flags.slice(0, 6))).code).toBe(0);
      }
      await sleep(1000); // on a slow machine it takes longer: faster, a life would not end before the next begins
    }
    mkdirSync(OUT, { recursive: true });
    const span = { prometheus: world.prometheus.url, startS, endS: Math.floor(Date.now() / 1000) };
    for (const dashboard of DASHBOARDS) await draw(dashboard, span, `${OUT}/${dashboard.uid}.png`);
    expect(await world.prometheus.firing()).toContain('FirebreakBaselineDrifted');
  } finally {
    await world.close();
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARDS } from '../../ops/dashboards.ts';
import { withoutVariables } from '../../ops/panel.ts';
import type { Analyzer } from '../integration/deployment.ts';
import { type Watched, watched } from './watched.ts';

const WITHIN = { timeout: 30_000, interval: 250 };
const RATE_INTERVAL = '5m';
/** A panel that leaves out what is 0 has nothing to show on a good day. */
const withZeros = (expr: string) => expr.replace(/ > 0$/, '');

describe('a real Prometheus that scrapes a real analyzer', { timeout: 60_000 }, () => {
  let world: Watched;
  let analyzer: Analyzer;
  const firing = () => world.prometheus.firing();
  const numberOf = async (expr: string) => (await world.prometheus.query(expr))[0]?.value;

  beforeAll(async () => {
    world = await watched(2);
    analyzer = await world.start();
  }, 120_000);
  afterAll(() => world?.close());

  it('actions before a policy, and records that cannot be judged: both alerts fire', async () => {
    await expect.poll(() => numberOf('sum(up)'), WITHIN).toBe(1);
    await expect.poll(firing, WITHIN).toEqual(['FirebreakWatchdog']);
    await world.act(1, 200);
    await world.deployment.produce(Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: 'no json' })));
    await expect
      .poll(firing, WITHIN)
      .toEqual(expect.arrayContaining(['FirebreakNoPolicy', 'FirebreakQuarantineBurst']));
  });

  it('sessions that act on after a kill', async () => {
    await world.activate();
    await expect.poll(() => numberOf('count(firebreak_commands_total)'), WITHIN).toBeGreaterThan(0);
    for (let seed = 2; seed < 6; seed++) await world.act(seed, 3000);
    await expect.poll(firing, WITHIN).toContain('FirebreakActionAfterKill');
  });

  it('every panel of every dashboard has data', async () => {
    const queries = DASHBOARDS.flatMap(({ title, rows }) =>
      rows.flatMap(({ panels }) =>
        panels.flatMap((panel) => panel.queries.map(({ expr }) => ({ at: `${title}: ${panel.title}`, expr }))),
      ),
    );
    expect(queries.length).toBeGreaterThan(40);
    const empty = async () => {
      const found = queries.map(async ({ at, expr }) => {
        const samples = await world.prometheus.query(withoutVariables(withZeros(expr), RATE_INTERVAL));
        return samples.some(({ value }) => Number.isFinite(value)) ? [] : [`${at}: ${expr}`];
      });
      return (await Promise.all(found)).flat();
    };
    await expect.poll(empty, WITHIN).toEqual([]);
  });

  it('every record of the log is accounted for', async () => {
    const { deployment } = world;
    await deployment.settled();
    const records = [...(await deployment.log()).values()].reduce((sum, { length }) => sum + length, 0);
    await expect.poll(() => numberOf('sum(firebreak_offsets_accounted_total)'), WITHIN).toBe(records);
    expect(await numberOf('sum(firebreak_offsets_passed_total)')).toBe(records);
    expect(await firing()).not.toContain('FirebreakAccountingBroken');
  });

  it('its log is one JSON line for each thing that happened: partitions, not the client within', async () => {
    const lines = analyzer
      .log()
      .split('\n')
      .slice(0, -1) // the last one may be on its way
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'info', msg: 'firebreak runs' }));
    const given = lines.find(({ msg }) => msg === 'the group gave this process its partitions');
    expect(given).toMatchObject({ level: 'info', partitions: [0, 1] });
    const taken = lines.filter(({ msg }) => msg === 'partition taken over').map(({ partition }) => partition);
    expect(new Set(taken)).toEqual(new Set([0, 1])); // again where the machine was slow
    expect(lines.filter(({ level, kafkajs }) => level === 'info' && kafkajs !== undefined)).toEqual([]);
  });
});

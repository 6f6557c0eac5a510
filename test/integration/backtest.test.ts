import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Command } from '../../src/domain/command.ts';
import { type Deployment, deploy } from './deployment.ts';
import { RULES, traffic } from './traffic.ts';

const EVENTS = 4000;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deploy({ partitions: 3, rules: RULES });
}, 240_000);
afterAll(async () => deployment?.close());

const ACTIONS: Record<string, string> = { paused: 'pause', killed: 'kill' };

it('a backtest of the topic says what a replay of the captured topic says', { timeout: 400_000 }, async () => {
  const { folder } = deployment;
  const kafka = deployment.flags.slice(0, 4);
  const rules = join(folder, 'rules.yaml');
  await deployment.produce(traffic({ sessions: 15, events: EVENTS, seed: 8, startMs: Date.now() }));
  await deployment.produce([{ key: 'broken', value: 'not JSON' }]);
  const [file, commands, sessions, report] = ['run', 'commands', 'sessions', 'report'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];

  expect(await deployment.cli('capture', ...kafka, '--out', file)).toMatchObject({ code: 0 });
  expect(await deployment.cli('replay', file, '--rules', rules, '--out', commands)).toMatchObject({ code: 0 });
  const args = ['backtest', '--kafka', ...kafka, '--rules', rules, '--json', report];
  expect(await deployment.cli(...args, '--out', sessions)).toMatchObject({ code: 0 });

  const read = async (path: string) => (await readFile(path, 'utf8')).trim().split('\n');
  const expected = (await read(commands)).map((line) => {
    const { session, action, triggerEventId, position } = Command.parse(JSON.parse(line));
    return `${session} ${action} ${triggerEventId} ${position.partition}:${position.offset}`;
  });
  const found = (await read(sessions)).flatMap((line) => {
    const { session, new: side } = JSON.parse(line) as { session: string; new: { raised: Record<string, string>[] } };
    return side.raised
      .filter(({ level }) => level! in ACTIONS)
      .map(
        ({ level, triggerEventId, at }) => `${session} ${ACTIONS[level!]} ${triggerEventId} ${at!.split('/').at(-1)}`,
      );
  });
  expect(expected.length).toBeGreaterThan(3);
  expect(found.sort()).toEqual(expected.sort());
  const { coverage, refused, lastMs } = JSON.parse(await readFile(report, 'utf8'));
  expect([coverage.events, refused]).toEqual([EVENTS, [{ refusal: 'not_json', count: 1 }]]);

  const last = new Date(lastMs).toISOString();
  expect(await deployment.cli(...args, '--until', last)).toMatchObject({ code: 0 });
  const before = JSON.parse(await readFile(report, 'utf8'));
  expect(before.coverage.events).toBeLessThan(EVENTS);
  expect(before.lastMs).toBeLessThan(lastMs);
  const none = await deployment.cli(...args, '--since', '2099-01-01T00:00:00Z');
  expect(none).toMatchObject({ code: 1, out: expect.stringContaining('holds no records of that time') });
});

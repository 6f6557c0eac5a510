import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Deployment, deploy } from './deployment.ts';
import { RULES } from './traffic.ts';

const PARTITIONS = 3;
let deployment: Deployment;
beforeAll(async () => {
  deployment = await deploy({ partitions: PARTITIONS, rules: RULES, policy: 'later' });
}, 120_000);
afterAll(async () => deployment?.close());

async function followed(): Promise<(string | undefined)[]> {
  const states = await Promise.all(Array.from({ length: PARTITIONS }, (_, p) => deployment.stored(p)));
  return states.map(({ partition }) => (partition === '' ? undefined : JSON.parse(partition).policy?.hash));
}

it('a folder is activated once, and never again after it was replaced', { timeout: 180_000 }, async () => {
  const { folder, flags, plan } = deployment;
  const common = flags.slice(0, 6);
  await deployment.produce([{ key: 'early', value: JSON.stringify({ ...event, session: 'early' }) }]);
  const first = await deployment.run('--rules', folder);
  await expect.poll(followed, { timeout: 30_000 }).toEqual(Array(PARTITIONS).fill(plan.hash));
  expect(first.log()).toContain('the rules folder is activated in all partitions');
  expect(first.log()).toContain('actions come before the first policy');
  expect(await first.stop()).toBe(0);

  const second = await deployment.run('--rules', folder);
  await deployment.settled();
  expect(await second.stop()).toBe(0);
  expect(second.log()).not.toContain('is activated');

  const newer = await mkdtemp(join(tmpdir(), 'firebreak-rules-'));
  await writeFile(join(newer, 'rules.yaml'), RULES.replace('deletes > 40', 'deletes > 41'));
  expect(await deployment.cli('activate', newer, ...common)).toMatchObject({ code: 0 });
  expect((await deployment.cli('activate', newer, ...common)).out).toContain('in force already');
  const old = await deployment.cli('activate', folder, ...common);
  expect([old.code, old.out.includes('--force')]).toEqual([1, true]);

  const third = await deployment.run('--rules', folder);
  await deployment.settled();
  await expect.poll(() => third.log()).toContain('holds a policy that was replaced');
  expect(new Set(await followed())).not.toContain(plan.hash);
  expect(await deployment.cli('activate', folder, '--force', ...common)).toMatchObject({ code: 0 });
  await expect.poll(followed, { timeout: 30_000 }).toEqual(Array(PARTITIONS).fill(plan.hash));
  expect(await third.stop()).toBe(0);
});

const event = { id: 'e', time: '2026-01-05T09:00:00Z', agent: { id: 'a' }, tool: 't', action: 'delete', outcome: 'ok' };

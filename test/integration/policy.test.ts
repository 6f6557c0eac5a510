import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ActivationHistory } from '../../src/adapters/kafka/activation-history.ts';
import { KafkaOutlet } from '../../src/adapters/kafka/outlet.ts';
import { KafkaPolicyLibrary } from '../../src/adapters/kafka/policy-library.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { activate } from '../../src/app/activation.ts';
import { loadPolicyFolder, policyHash } from '../../src/app/rule-folder.ts';
import type { Output } from '../../src/domain/output.ts';
import { ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { type Deployment, deploy, metricsOf } from './deployment.ts';
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

it('a folder is activated once, and never again after it was replaced', { timeout: 240_000 }, async () => {
  const { folder, flags, plan } = deployment;
  const common = flags.slice(0, 6);
  await deployment.produce([{ key: 'early', value: JSON.stringify({ ...event, session: 'early' }) }]);
  const first = await deployment.run('--rules', folder);
  await expect.poll(followed, { timeout: 60_000 }).toEqual(Array(PARTITIONS).fill(plan.hash));
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
  await expect.poll(followed, { timeout: 60_000 }).toEqual(Array(PARTITIONS).fill(plan.hash));
  expect(await third.stop()).toBe(0);
});

it('a threshold edited while events stream keeps the count: the very event is known', {
  timeout: 240_000,
}, async () => {
  const { folder, flags } = deployment;
  const common = flags.slice(0, 6);
  const analyzer = await deployment.run();
  const deletes = (session: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => {
      const time = new Date(Date.now()).toISOString();
      return { key: session, value: JSON.stringify({ ...event, id: `${session}-${from + i}`, time, session }) };
    });
  await deployment.produce(deletes('edited', 1, 30));
  await writeFile(join(folder, 'rules.yaml'), RULES.replace('pause: deletes > 80', 'pause: deletes > 44'));
  const told = await deployment.cli('activate', folder, '--dry-run', ...common);
  expect([told.code, told.out]).toEqual([
    0,
    expect.stringContaining('~ rule many-deletions: when changed; its counts go on'),
  ]);
  expect(told.out).toContain('nothing was activated');
  expect((await deployment.cli('activate', folder, ...common)).code).toBe(0);
  await deployment.produce(deletes('edited', 31, 60));
  await deployment.settled();
  const commands = await deployment.commands();
  expect(commands.filter(({ session }) => session === 'edited')).toMatchObject([
    { action: 'pause', rule: 'many-deletions', triggerEventId: 'edited-45', score: 45, threshold: 44 },
  ]);
  expect(await analyzer.stop()).toBe(0);
});

it('a crash between the records of two partitions loses nothing', { timeout: 240_000 }, async () => {
  const { folder, flags, kafka, prefix, keys } = deployment;
  const common = flags.slice(0, 6);
  const analyzer = await deployment.run();
  const before = (await followed())[0];
  await writeFile(join(folder, 'rules.yaml'), RULES.replace('pause: deletes > 80', 'pause: deletes > 3'));
  const body = await loadPolicyFolder(folder);
  const hash = policyHash(body);
  const outlet = new KafkaOutlet({
    kafka,
    topicPrefix: prefix,
    source: '/test',
    signingKey: keys.signing,
    expireAfterMs: 1,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    onMinimalForm: () => {},
  });
  const topic = `${prefix}policies`;
  const library = new KafkaPolicyLibrary({ kafka, topic, engine: ENGINE_VERSION, clock: systemClock });
  const dies = {
    publish: async (outputs: readonly Output[]) => {
      await outlet.publish(outputs.slice(0, 1));
      throw new Error('the process dies here');
    },
    close: async () => {},
  };
  const history = new ActivationHistory(kafka, topic);
  const parts = { library, outlet: dies, history, clock: systemClock, partitions: PARTITIONS };
  await expect(activate(body, 'kim', parts)).rejects.toThrow('dies here');
  await expect.poll(followed, { timeout: 60_000 }).toEqual([before, hash, before]);

  // Every partition judges under exactly one policy meanwhile: only the one that has the record by the new one.
  const sessions = Array.from({ length: 30 }, (_, i) => `crash-${i}`);
  const four = (round: string) =>
    sessions.flatMap((session) =>
      Array.from({ length: 4 }, (_, i) => {
        const time = new Date(Date.now()).toISOString();
        return { key: session, value: JSON.stringify({ ...event, id: `${session}-${round}-${i}`, time, session }) };
      }),
    );
  await deployment.produce(four('half'));
  await deployment.settled();
  const paused = async () => {
    const found = (await deployment.commands()).filter(({ session }) => session?.startsWith('crash-'));
    return found.map(({ session, position, policyHash }) => ({ session, partition: position.partition, policyHash }));
  };
  const half = await paused();
  expect(half.length).toBeGreaterThan(0);
  expect(half.every(({ partition, policyHash: by }) => partition === 1 && by === hash)).toBe(true);

  const again = await deployment.cli('activate', folder, ...common);
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('which was not activated everywhere')]);
  await expect.poll(followed, { timeout: 60_000 }).toEqual(Array(PARTITIONS).fill(hash));
  await deployment.produce(four('whole'));
  await deployment.settled();
  const whole = await paused();
  expect(whole.map(({ session }) => session).sort()).toEqual([...sessions].sort());
  expect(new Set(whole.map(({ policyHash: by }) => by))).toEqual(new Set([hash]));
  const states = await Promise.all(Array.from({ length: PARTITIONS }, (_, p) => deployment.stored(p)));
  const accounts = states.map(({ partition }) => JSON.parse(partition).accounting);
  // The one before the first policy; all others were judged, once.
  expect(accounts.reduce((sum, { beforePolicy }) => sum + beforePolicy, 0)).toBe(1);
  expect(accounts.reduce((sum, { judged }) => sum + judged, 0)).toBe(60 + 2 * 4 * sessions.length);
  expect((await deployment.cli('activate', folder, ...common)).out).toContain('in force already');
  await Promise.all([outlet.close(), library.close()]);
  expect(await analyzer.stop()).toBe(0);
});

it('a folder that changes under a running service is activated; a broken one is refused and told', {
  timeout: 240_000,
}, async () => {
  const { folder } = deployment;
  const analyzer = await deployment.run('--rules', folder);
  const refused = async () => /^firebreak_policy_folder_refused (\d)/m.exec(await metricsOf(analyzer))?.[1];
  const before = (await followed())[0];
  await writeFile(join(folder, 'rules.yaml'), RULES.replace('match: { action: delete', 'match: { acton: delete'));
  await expect.poll(refused, { timeout: 60_000 }).toBe('1');
  expect(analyzer.log()).toContain('the rules folder is refused, the policy in force stays');
  expect(new Set(await followed())).toEqual(new Set([before]));
  await writeFile(join(folder, 'rules.yaml'), RULES.replace('pause: deletes > 80', 'pause: deletes > 71'));
  const hash = policyHash(await loadPolicyFolder(folder));
  await expect.poll(followed, { timeout: 60_000 }).toEqual(Array(PARTITIONS).fill(hash));
  expect(await refused()).toBe('0');
  expect(await analyzer.stop()).toBe(0);
});

const event = { id: 'e', time: '2026-01-05T09:00:00Z', agent: { id: 'a' }, tool: 't', action: 'delete', outcome: 'ok' };

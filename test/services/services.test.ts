import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';
import { sharedKafka, sharedRedis } from './shared.ts';

const shared = await Promise.all([sharedKafka(), sharedRedis(), sharedRedis()]);

it('gives every caller a prefix and a database of its own', () => {
  const [kafka, first, second] = shared;
  expect(new Set([kafka.prefix, first.prefix, second.prefix]).size).toBe(3);
  if (!process.env['FIREBREAK_TEST_REDIS']) expect(first.url).not.toBe(second.url);
});

it('starts two brokers at once, on ports of their own, and leaves nothing behind', { timeout: 120_000 }, async () => {
  const version = shared[0].version === 'as given' ? undefined : shared[0].version;
  const brokers = await Promise.all([1, 2].map(() => startKafka(version ? { version } : {})));
  try {
    if (brokers.some(({ kind }) => kind === 'environment')) return;
    expect(brokers[0]!.brokers).not.toEqual(brokers[1]!.brokers);
    for (const { logDir } of brokers) if (logDir) expect(processesWith(dirname(logDir))).toBeGreaterThan(0);
  } finally {
    await Promise.all(brokers.map((broker) => broker.stop()));
  }
  for (const { logDir } of brokers) {
    if (!logDir) continue;
    expect(processesWith(dirname(logDir))).toBe(0);
    expect(existsSync(dirname(logDir))).toBe(false);
  }
});

it('restarts a broker on its port with its topics', { timeout: 120_000 }, async () => {
  const broker = await startKafka();
  try {
    if (broker.kind === 'environment') return;
    const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    await broker.restart();
    await admin.connect();
    expect(await admin.listTopics()).toContain('kept');
    await admin.disconnect();
  } finally {
    await broker.stop();
  }
});

it.each([
  ['nothing', null],
  ['every_write', 'kept'],
] as const)('restarts a Redis that keeps %s', async (keep, expected) => {
  const servers = await Promise.all([startRedis({ keep }), startRedis({ keep })]);
  try {
    const [server, other] = servers;
    expect(server.port).not.toBe(other.port);
    const before = new Redis(server.url);
    await before.set('key', 'kept');
    before.disconnect();
    await server.restart();
    const after = new Redis(server.url);
    expect(await after.get('key')).toBe(expected);
    after.disconnect();
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});

it('ends the server when the process that started it is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-guard-'));
  const source = readFileSync(new URL('./guarded.ts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: 10 } });
  const file = join(folder, 'owner.mjs');
  const server = join(folder, 'server');
  writeFileSync(
    file,
    `${outputText}\nstartGuarded(['sleep', '86400'], process.argv[2]);\nsetInterval(() => {}, 1000);`,
  );
  mkdirSync(server);
  const owner = spawn(process.execPath, [file, server], { stdio: 'inherit' });
  await expect.poll(() => processesWith(server), { timeout: 10_000 }).toBe(3); // owner, guard, its watcher
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await expect.poll(() => processesWith(folder), { timeout: 10_000 }).toBe(0);
  await expect.poll(() => existsSync(server), { timeout: 10_000 }).toBe(false);
  rmSync(folder, { recursive: true });
});

function processesWith(text: string): number {
  const lines = execFileSync('ps', ['-axo', 'args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(text)).length;
}

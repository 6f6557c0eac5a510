import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaService, startKafka } from '../services/kafka.ts';
import { type RedisService, startRedis } from '../services/redis.ts';
import { type Analyzer, type Deployment, deploy, notReady } from './deployment.ts';
import { RULES, traffic } from './traffic.ts';

let redis: RedisService;
let kafka: KafkaService;
let deployment: Deployment;
let analyzer: Analyzer;
let sent = 0;
beforeAll(async () => {
  redis = await startRedis({ keep: 'every_write' });
  kafka = await startKafka();
  deployment = await deploy({ partitions: 4, rules: RULES, redisUrl: redis.url, brokers: kafka.brokers });
  analyzer = await deployment.run();
}, 180_000);
afterAll(async () => {
  await deployment?.close();
  await redis?.stop();
  await kafka?.stop();
});

function untilReady() {
  return expect.poll(() => notReady(analyzer), { timeout: 60_000, interval: 100 }).toEqual([]);
}

function untilNotReady(reason: RegExp) {
  const found = async () => (await notReady(analyzer)).join('\n');
  return expect.poll(found, { timeout: 60_000, interval: 100 }).toMatch(reason);
}

function produce(): Promise<void> {
  const messages = traffic({ sessions: 40, events: 2000, seed: 100 + sent++, startMs: Date.now() });
  return deployment.produce(messages);
}

async function expectNothingLost(): Promise<void> {
  await deployment.settled();
  const oracle = await deployment.oracle();
  for (const [partition, wanted] of oracle.entries()) {
    const found = await deployment.stored(partition);
    expect(JSON.parse(found.partition)).toEqual(JSON.parse(wanted.partition));
    expect(found.sessions).toEqual(wanted.sessions);
  }
  const { distinct } = await deployment.commandIds();
  expect(distinct).toEqual(oracle.flatMap(({ commands }) => commands).sort());
}

async function redisPid(): Promise<number> {
  const client = new Redis(redis.url);
  const info = await client.info('server');
  client.disconnect();
  return Number(/process_id:(\d+)/.exec(info)![1]);
}

/** The broker that was started here, by the file that it was started with. */
function kafkaPid(): number {
  const file = join(dirname(kafka.logDir!), 'server.properties');
  const found = readdirSync('/proc').find((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    const args = commandLine(entry);
    return args[0]?.endsWith('java') && args.includes(file);
  });
  return Number(found);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
}

describe('readiness is denied while a server is away, and nothing is lost', () => {
  it('Redis answers nothing', { timeout: 180_000 }, async ({ skip }) => {
    if (redis.kind !== 'own') skip();
    await untilReady();
    const pid = await redisPid();
    const producing = produce();
    process.kill(pid, 'SIGSTOP');
    try {
      await untilNotReady(/partition \d is not judged: .*(timed out|Redis is not ready)/);
      await produce();
      await sleep(3000);
      expect(await notReady(analyzer)).not.toEqual([]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await producing;
    await untilReady();
    await expectNothingLost();
  });

  it('Redis is killed and starts again with every write', { timeout: 180_000 }, async () => {
    const producing = produce();
    await redis.restart();
    await producing;
    await produce();
    await untilReady();
    await expectNothingLost();
    expect(analyzer.log()).not.toContain('no state found');
  });

  it('Kafka answers nothing', { timeout: 240_000 }, async ({ skip }) => {
    if (kafka.kind !== 'own') skip();
    await produce();
    const pid = kafkaPid();
    process.kill(pid, 'SIGSTOP');
    try {
      await untilNotReady(/partition \d/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await produce();
    await untilReady();
    await expectNothingLost();
  });

  it('Kafka is killed and starts again', { timeout: 240_000 }, async () => {
    await produce();
    await kafka.restart();
    await produce();
    await untilReady();
    await expectNothingLost();
    expect(await analyzer.stop()).toBe(0);
  });
});

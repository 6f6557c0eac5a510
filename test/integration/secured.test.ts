import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import type { Kafka, Message } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka, type KafkaClientOptions } from '../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { signRecord } from '../../src/formats/signature.ts';
import { PASSWORD, type User } from '../services/secured-kafka.ts';
import { read, tokenOf, topicsSeen, transaction, write } from './attempts.ts';
import { bytesOf, CANARY, everythingIn, formsOf, withCanary } from './canary.ts';
import { type Analyzer, metricsOf } from './deployment.ts';
import { deploySecured, PASSPHRASE, type SecuredDeployment } from './secured-deployment.ts';
import { traffic } from './traffic.ts';

let deployment: SecuredDeployment;
beforeAll(async () => {
  deployment = await deploySecured();
}, 180_000);
afterAll(() => deployment?.close());

const logger = pino({ level: 'silent' });

function as(options: Partial<KafkaClientOptions>): Kafka {
  return createKafka({
    brokers: [deployment.kafkaService.listeners.SASL],
    clientId: 'test',
    tls: { caFile: deployment.tls.caFile },
    logger,
    ...options,
  });
}

function user(username: User): Kafka {
  return as({ sasl: { mechanism: 'scram-sha-256', username, password: PASSWORD } });
}

describe('the analyzer with the documented rights and no other, and without code from strings', () => {
  let logged = '';
  let second: Analyzer;
  afterAll(() => second?.stop());

  it('judges, publishes, quarantines, and rebuilds what Redis lost', { timeout: 120_000 }, async () => {
    await deployment.produce(traffic({ sessions: 10, events: 3000, seed: 7, startMs: Date.now() }).map(withCanary));
    const flags = ['--brokers', deployment.kafkaService.listeners.SASL];
    const first = await deployment.run(...flags);
    await deployment.settled();
    expect(await first.stop()).toBe(0);
    logged = first.log();
    await deployment.redis.flushall();
    second = await deployment.run(...flags);
    await deployment.settled();
    expect(second.log()).toContain('rebuilding it from the whole log');
    const oracle = await deployment.oracle();
    for (const [partition, wanted] of oracle.entries()) {
      expect((await deployment.stored(partition)).sessions).toEqual(wanted.sessions);
    }
    const { distinct } = await deployment.commandIds();
    expect(distinct).toEqual(oracle.flatMap(({ commands }) => commands).sort());
    expect(distinct.length).toBeGreaterThan(0);
    expect(logged).not.toContain('strings can become code');
  });

  it('quarantines what cannot be used, and the unsigned action of a source that must sign', async () => {
    const [{ key, value }] = traffic({ sessions: 1, events: 1, seed: 8, startMs: Date.now() }) as [Message];
    const event = { ...JSON.parse(String(value)), source: 'gw-1' };
    const unsigned = Buffer.from(JSON.stringify({ ...event, id: 'unsigned', args: CANARY }));
    const signed = Buffer.from(JSON.stringify({ ...event, id: 'signed' }));
    const content = { type: 'dev.firebreak.action.v1', key: Buffer.from(String(key)), value: signed };
    await deployment.produce([
      { key: key!, value: unsigned },
      { key: key!, value: signed, headers: signRecord(content, deployment.keys.signing) },
      { key: key!, value: JSON.stringify({ ...event, amount: CANARY }) },
      { key: 'x', value: `no JSON but ${CANARY}` },
    ]);
    await deployment.settled();
    const reasons = (await contentOf('quarantine')).map(({ headers }) =>
      String(headers['__connect.errors.class.name']),
    );
    expect(reasons.sort()).toEqual(['invalid_event', 'invalid_signature', 'not_json']);
    expect(await metricsOf(second)).toMatch(/firebreak_refused_total\{reason="invalid_signature"\} 1/);
  });

  it('tells nothing of arguments, results, prompts, headers and its own secrets', async () => {
    logged += second.log();
    const places: Record<string, Buffer[]> = {
      log: [Buffer.from(logged)],
      metrics: [Buffer.from(await metricsOf(second))],
      Redis: await everythingIn(deployment.redis),
    };
    for (const topic of ['commands', 'findings', 'verdicts', 'leases', 'policies', 'audit', 'decisions', 'acks']) {
      places[topic] = (await contentOf(topic)).flatMap(bytesOf);
    }
    for (const [place, found] of Object.entries(places)) {
      for (const secret of [CANARY, PASSWORD, PASSPHRASE]) {
        for (const form of formsOf(secret)) {
          expect(
            found.some((bytes) => bytes.includes(form)),
            `${secret} as ${form} in ${place}`,
          ).toBe(false);
        }
      }
    }
    // It was there to be found, in the log and in the quarantine, and what was searched is not empty.
    for (const topic of ['actions', 'quarantine']) {
      expect(
        (await contentOf(topic)).flatMap(bytesOf).some((bytes) => bytes.includes(CANARY)),
        topic,
      ).toBe(true);
    }
    for (const place of ['log', 'metrics', 'Redis', 'commands', 'findings', 'verdicts']) {
      expect(Buffer.concat(places[place]!).length, place).toBeGreaterThan(1000);
    }
    expect(logged).toContain('"level":"debug"');
  });
});

async function contentOf(topic: string): Promise<RawRecord[]> {
  const reader = new PartitionClient(deployment.kafka);
  const found: RawRecord[] = [];
  const name = deployment.prefix + topic;
  for await (const { record } of readRanges(reader, name, await wholeTopic(reader, name))) found.push(record);
  await reader.close();
  return found;
}

describe('a login', () => {
  // Together, because kafkajs asks a server that it cannot trust for seven seconds.
  it.concurrent.each<[string, () => Partial<KafkaClientOptions>, RegExp]>([
    ['PLAIN', () => ({ sasl: { mechanism: 'plain', username: 'analyzer', password: PASSWORD } }), /actions/],
    [
      'SCRAM-SHA-256',
      () => ({ sasl: { mechanism: 'scram-sha-256', username: 'gateway', password: PASSWORD } }),
      /actions/,
    ],
    [
      'SCRAM-SHA-512',
      () => ({ sasl: { mechanism: 'scram-sha-512', username: 'gateway', password: PASSWORD } }),
      /actions/,
    ],
    [
      'OAUTHBEARER, the token in a file',
      () => ({ sasl: { mechanism: 'oauthbearer', tokenFile: tokenFile('gateway') } }),
      /actions/,
    ],
    [
      'a client certificate with an encrypted key',
      () => ({
        brokers: [deployment.kafkaService.listeners.MUTUAL],
        tls: deployment.tls,
      }),
      /actions/,
    ],
    [
      'a user without rights sees nothing',
      () => ({ sasl: { mechanism: 'oauthbearer', tokenFile: tokenFile('stranger') } }),
      /^$/,
    ],
    [
      'a wrong password',
      () => ({ sasl: { mechanism: 'scram-sha-512', username: 'gateway', password: 'wrong' } }),
      /invalid credentials/,
    ],
    ['a server whose certificate nobody vouches for', () => ({ tls: {} }), /unable to verify the first certificate/],
    [
      'no client certificate where one is wanted',
      () => ({ brokers: [deployment.kafkaService.listeners.MUTUAL] }),
      /bad certificate|certificate required/,
    ],
    [
      'no TLS',
      () => ({ brokers: [deployment.kafkaService.listeners.SASL], tls: undefined as never }),
      /Closed connection/,
    ],
  ])('%s', async (_, options, seen) => {
    expect(await topicsSeen(as(options()))).toMatch(seen);
  });

  it('that ends in a Redis without the right to come in is refused by name', async () => {
    const reason = async (more: RedisOptions) => {
      const stranger = new Redis(deployment.redisService.url, {
        ...deployment.redisService.admin,
        ...more,
        lazyConnect: true,
        retryStrategy: () => null,
      });
      const failure = await new Promise((resolve) => {
        stranger.once('error', resolve);
        stranger
          .connect()
          .then(
            () => stranger.ping(),
            () => {},
          )
          .catch(resolve);
      });
      stranger.disconnect();
      return String(failure);
    };
    expect(await reason({ password: 'wrong' })).toMatch(/WRONGPASS/);
    const ca = readFileSync(deployment.tls.caFile);
    expect(await reason({ tls: { ca } })).toMatch(/certificate|ECONNRESET/);
    expect(await reason({ tls: { ...deployment.redisService.admin.tls, ca: undefined as never } })).toMatch(
      /self-signed|unable to verify/,
    );
  });
});

describe('each role may do what it is for, and no more', () => {
  const refused = 'refused';
  it.each<[User, 'reads' | 'writes', string, string]>([
    ['gateway', 'writes', 'actions', 'written'],
    ['gateway', 'reads', 'actions', refused],
    ['gateway', 'writes', 'commands', refused],
    ['gateway', 'writes', 'decisions', refused],
    ['gateway', 'reads', 'quarantine', refused],
    ['enforcer', 'reads', 'commands', 'read'],
    ['enforcer', 'reads', 'verdicts', 'read'],
    ['enforcer', 'reads', 'leases', 'read'],
    ['enforcer', 'writes', 'acks', 'written'],
    ['enforcer', 'writes', 'commands', refused],
    ['enforcer', 'writes', 'actions', refused],
    ['enforcer', 'reads', 'actions', refused],
    ['reviewer', 'reads', 'findings', 'read'],
    ['reviewer', 'writes', 'decisions', 'written'],
    ['reviewer', 'writes', 'actions', refused],
    ['reviewer', 'reads', 'quarantine', refused],
    ['oncall', 'reads', 'findings', 'read'],
    ['oncall', 'reads', 'audit', 'read'],
    ['oncall', 'writes', 'actions', 'written'],
    ['oncall', 'reads', 'actions', refused],
    ['oncall', 'reads', 'quarantine', refused],
    ['analyzer', 'reads', 'acks', 'read'],
    ['analyzer', 'writes', 'policies', refused],
    ['analyzer', 'writes', 'decisions', refused],
    ['analyzer', 'reads', 'quarantine', refused],
    ['activator', 'writes', 'policies', 'written'],
    ['activator', 'reads', 'actions', refused],
    ['activator', 'writes', 'commands', refused],
  ])('%s %s %s: %s', async (name, does, topic, expected) => {
    expect(await (does === 'reads' ? read : write)(user(name), deployment.prefix + topic)).toBe(expected);
  });

  it('nobody but who runs init makes topics, or opens a transaction', async () => {
    const topic = `${deployment.prefix}other`;
    for (const name of ['gateway', 'analyzer', 'admin'] as const) {
      const admin = user(name).admin({ retry: { retries: 0 } });
      await admin.connect();
      const made = await admin.createTopics({ topics: [{ topic }], waitForLeaders: false }).catch(() => false);
      expect(made, name).toBe(name === 'admin');
      await admin.disconnect();
    }
    await expect(transaction(user('gateway'))).rejects.toThrow(/coordinator|authoriz/i);
    await transaction(deployment.kafka);
  });

  it.each([
    ['FLUSHALL', []],
    ['CONFIG', ['GET', '*']],
    ['KEYS', ['*']],
    ['MONITOR', []],
    ['SCRIPT', ['FLUSH']],
    ['ACL', ['LIST']],
    ['DEL', ['KEY']],
    ['EVAL', ["return redis.call('SET', KEYS[1], 'x')", '1', 'KEY']],
    ['HGET', ['other:{0}:m', 'next']],
  ])('the analyzer is refused %s in Redis', async (command, args) => {
    const limited = new Redis(deployment.redisService.url, {
      ...deployment.redisService.admin,
      username: 'analyzer',
      disableClientInfo: true,
    });
    try {
      const own = args.map((arg) => (arg === 'KEY' ? `${deployment.keyPrefix}:{0}:m` : arg));
      await expect(limited.call(command, ...own)).rejects.toThrow(
        /NOPERM|can't run this command|No permissions|ACL failure/,
      );
    } finally {
      limited.disconnect();
    }
  });
});

function tokenFile(subject: string): string {
  const path = join(deployment.secrets, `token-${subject}`);
  writeFileSync(path, `${tokenOf(subject)}\n`);
  return path;
}

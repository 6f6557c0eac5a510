import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { type Kafka, Partitioners } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka, type KafkaClientOptions } from '../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { makeAuthority } from '../services/certificates.ts';
import { documentedAcls, documentedRedisUser, grant } from '../services/documented-rights.ts';
import { PASSWORD, type SecuredKafka, startSecuredKafka, type User } from '../services/secured-kafka.ts';
import { type SecuredRedis, startSecuredRedis } from '../services/secured-redis.ts';
import { type Deployment, deploy } from './deployment.ts';
import { RULES, traffic } from './traffic.ts';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-secured-'));
const authority = await makeAuthority(folder);
const { caFile } = authority;
const server = authority.issue('server');
const client = authority.issue('analyzer', 'passphrase of the key');
const material = {
  ca: readFileSync(caFile),
  cert: readFileSync(client.certFile),
  key: readFileSync(client.keyFile),
  passphrase: 'passphrase of the key',
};

let kafka: SecuredKafka;
let redis: SecuredRedis;
let deployment: Deployment;

beforeAll(async () => {
  [kafka, redis] = await Promise.all([
    startSecuredKafka(folder, authority, server),
    startSecuredRedis(authority, server, { client: material, password: PASSWORD }),
  ]);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  deployment = await deploy({
    partitions: 4,
    rules: RULES,
    brokers: [kafka.internal],
    redisUrl: redis.url,
    redisLogin: redis.admin,
    env: {
      FIREBREAK_KAFKA__TLS__ENABLED: 'true',
      FIREBREAK_KAFKA__TLS__CA_FILE: caFile,
      FIREBREAK_KAFKA__SASL__MECHANISM: 'scram-sha-512',
      FIREBREAK_KAFKA__SASL__USERNAME: 'analyzer',
      FIREBREAK_KAFKA__SASL__PASSWORD_FILE: passwordFile,
      FIREBREAK_REDIS__USERNAME: 'analyzer',
      FIREBREAK_REDIS__PASSWORD_FILE: passwordFile,
      FIREBREAK_REDIS__TLS__CA_FILE: caFile,
      FIREBREAK_REDIS__TLS__CERT_FILE: client.certFile,
      FIREBREAK_REDIS__TLS__KEY_FILE: client.keyFile,
      FIREBREAK_REDIS__TLS__KEY_PASSPHRASE: 'passphrase of the key',
    },
  });
  const admin = deployment.kafka.admin();
  await admin.connect();
  await grant(admin, await documentedAcls(deployment.prefix));
  await admin.disconnect();
  await deployment.redis.call('ACL', ...(await documentedRedisUser(PASSWORD, keyPrefix())));
}, 180_000);

afterAll(async () => {
  await deployment?.close();
  await Promise.all([kafka?.stop(), redis?.stop()]);
  rmSync(folder, { recursive: true });
});

function keyPrefix(): string {
  return deployment.prefix.slice(0, -1);
}

const logger = pino({ level: 'silent' });

function as(options: Partial<KafkaClientOptions>): Kafka {
  return createKafka({ brokers: [kafka.listeners.SASL], clientId: 'test', tls: { caFile }, logger, ...options });
}

function user(username: User): Kafka {
  return as({ sasl: { mechanism: 'scram-sha-256', username, password: PASSWORD } });
}

/** What a login sees, or why there is none. */
async function topicsSeen(client: Kafka): Promise<string> {
  const admin = client.admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    return (await admin.listTopics()).join();
  } catch (error) {
    return (error as Error).message;
  } finally {
    await admin.disconnect();
  }
}

async function write(client: Kafka, topic: string): Promise<string> {
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });
  await producer.connect();
  try {
    await producer.send({ topic: deployment.prefix + topic, acks: -1, messages: [{ key: 'k', value: '{}' }] });
    return 'written';
  } catch (error) {
    return refusalOf(error);
  } finally {
    await producer.disconnect();
  }
}

async function read(client: Kafka, topic: string): Promise<string> {
  const reader = new PartitionClient(client);
  try {
    await reader.fetch(deployment.prefix + topic, 0, 0, 1024);
    return 'read';
  } catch (error) {
    return refusalOf(error);
  } finally {
    await reader.close();
  }
}

/** kafkajs tells it as a code or as a sentence. */
function refusalOf(error: unknown): string {
  return /not authorized|authorization failed/i.test(String(error)) ? 'refused' : String(error);
}

/** Unsecured, as the broker's own validator for tests wants it. */
function tokenOf(subject: string): string {
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 3600 })}.`;
}

describe('the analyzer with the documented rights and no other', () => {
  it('judges, publishes, quarantines, and rebuilds what Redis lost', { timeout: 120_000 }, async () => {
    await deployment.produce(traffic({ sessions: 10, events: 3000, seed: 7, startMs: Date.now() }));
    await deployment.produce([{ key: 'x', value: 'no event' }]);
    const flags = ['--brokers', kafka.listeners.SASL];
    const first = await deployment.run(...flags);
    await deployment.settled();
    expect(await first.stop()).toBe(0);
    await deployment.redis.flushall();
    const second = await deployment.run(...flags);
    await deployment.settled();
    expect(second.log()).toContain('rebuilding it from the whole log');
    expect(await second.stop()).toBe(0);
    const oracle = await deployment.oracle();
    for (const [partition, wanted] of oracle.entries()) {
      expect((await deployment.stored(partition)).sessions).toEqual(wanted.sessions);
    }
    const { distinct } = await deployment.commandIds();
    expect(distinct).toEqual(oracle.flatMap(({ commands }) => commands).sort());
    expect(distinct.length).toBeGreaterThan(0);
    expect(await read(deployment.kafka, 'quarantine')).toBe('read');
    for (const secret of [PASSWORD, 'passphrase of the key']) expect(first.log() + second.log()).not.toContain(secret);
  });
});

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
        brokers: [kafka.listeners.MUTUAL],
        tls: { caFile, ...client, keyPassphrase: 'passphrase of the key' },
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
      () => ({ brokers: [kafka.listeners.MUTUAL] }),
      /bad certificate|certificate required/,
    ],
    ['no TLS', () => ({ brokers: [kafka.listeners.SASL], tls: undefined as never }), /Closed connection/],
  ])('%s', async (_, options, seen) => {
    expect(await topicsSeen(as(options()))).toMatch(seen);
  });

  it('that ends in a Redis without the right to come in is refused by name', async () => {
    const reason = async (more: RedisOptions) => {
      const stranger = new Redis(redis.url, { ...redis.admin, ...more, lazyConnect: true, retryStrategy: () => null });
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
    expect(await reason({ tls: { ca: material.ca } })).toMatch(/certificate|ECONNRESET/);
    expect(await reason({ tls: { ...material, ca: undefined } })).toMatch(/self-signed|unable to verify/);
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
    ['analyzer', 'writes', 'policies', refused],
    ['analyzer', 'writes', 'decisions', refused],
    ['analyzer', 'reads', 'quarantine', refused],
    ['activator', 'writes', 'policies', 'written'],
    ['activator', 'reads', 'actions', refused],
    ['activator', 'writes', 'commands', refused],
  ])('%s %s %s: %s', async (name, does, topic, expected) => {
    expect(await (does === 'reads' ? read : write)(user(name), topic)).toBe(expected);
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
    const transaction = async (client: Kafka) => {
      const producer = client.producer({ transactionalId: 't', idempotent: true, retry: { retries: 5 } });
      try {
        await producer.connect();
        return await producer.transaction().then((open) => open.abort());
      } finally {
        await producer.disconnect();
      }
    };
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
    const limited = new Redis(redis.url, { ...redis.admin, username: 'analyzer', disableClientInfo: true });
    try {
      const own = args.map((arg) => (arg === 'KEY' ? `${keyPrefix()}:{0}:m` : arg));
      await expect(limited.call(command, ...own)).rejects.toThrow(
        /NOPERM|can't run this command|No permissions|ACL failure/,
      );
    } finally {
      limited.disconnect();
    }
  });
});

function tokenFile(subject: string): string {
  const path = join(folder, `token-${subject}`);
  writeFileSync(path, `${tokenOf(subject)}\n`);
  return path;
}

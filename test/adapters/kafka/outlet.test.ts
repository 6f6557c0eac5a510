import { describe, expect, it, onTestFinished } from 'vitest';
import { KafkaOutlet, type KafkaOutletOptions } from '../../../src/adapters/kafka/outlet.ts';
import { PartitionClient } from '../../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../../src/adapters/kafka/range-reader.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { generateKeyPair } from '../../../src/app/keys.ts';
import { partitionOf } from '../../../src/domain/partitioner.ts';
import type { RawRecord } from '../../../src/domain/record.ts';
import { keyringOf, publicJwkOf, signingKeyOf } from '../../../src/formats/signature.ts';
import { commandOutput, findingOutput, outletContract } from '../../contracts/outlet.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, makeTopic, quiet } from './log-under-test.ts';

const kafka = await sharedKafka();
const jwk = generateKeyPair();
let outlets = 0;

async function made(configs: Record<string, Record<string, string>> = {}, more: Partial<KafkaOutletOptions> = {}) {
  const topicPrefix = `${kafka.prefix}.o${outlets++}.`;
  const client = kafkaAt(kafka.brokers);
  const admin = client.admin();
  await admin.connect();
  for (const topic of ['commands', 'findings', 'verdicts', 'leases', 'quarantine', 'actions']) {
    await makeTopic(admin, topicPrefix + topic, 4, configs[topic]);
  }
  await admin.disconnect();
  const minimal: string[] = [];
  const outlet = new KafkaOutlet({
    kafka: client,
    clock: systemClock,
    logger: quiet,
    topicPrefix,
    source: '/firebreak/test',
    expireAfterMs: 60_000,
    signingKey: signingKeyOf(jwk),
    onMinimalForm: ({ topic }, code) => minimal.push(`${topic} ${code}`),
    ...more,
  });
  const reader = new PartitionClient(client);
  const read = async (topic: string): Promise<(RawRecord & { partition: number })[]> => {
    const records = [];
    for await (const { partition, record } of readRanges(
      reader,
      topicPrefix + topic,
      await wholeTopic(reader, topicPrefix + topic),
    )) {
      records.push({ ...record, partition });
    }
    return records;
  };
  const close = async () => {
    await outlet.close();
    await reader.close();
  };
  return { outlet, read, minimal, close };
}

outletContract('Kafka', async () => {
  const { outlet, read, close } = await made();
  return {
    outlet,
    keyring: keyringOf([publicJwkOf(jwk)]),
    published: async (topic) => (await read(topic)).map(({ headers }) => String(headers['ce_id'])),
    log: async (partition) => (await read('actions')).filter((record) => record.partition === partition),
    close,
  };
});

describe('on a real broker', { timeout: 40_000 }, () => {
  async function prepared(...given: Parameters<typeof made>) {
    const one = await made(...given);
    onTestFinished(one.close);
    return one;
  }

  it('partitions by murmur2 of the key, signs, and counts attempts', async () => {
    const { outlet, read } = await prepared();
    const outputs = Array.from({ length: 40 }, (_, i) => commandOutput(`c${i}`, 'kill', { session: `s-${i}` }));
    await outlet.publish(outputs);
    await outlet.publish(outputs.slice(0, 1));
    const records = await read('commands');
    expect(records).toHaveLength(41);
    for (const { key, partition, headers } of records) {
      expect(partition).toBe(partitionOf(key!, 4));
      expect(String(headers['fb-key'])).toBe(jwk.kid);
    }
    const ofFirst = records.filter(({ headers }) => String(headers['ce_id']) === 'c0');
    expect(ofFirst.map(({ headers }) => String(headers['attempt']))).toEqual(['1', '2']);
  });

  it('publishes more than one request takes', async () => {
    const { outlet, read, minimal } = await prepared({ findings: { 'max.message.bytes': '300000' } });
    await outlet.publish(Array.from({ length: 100 }, (_, i) => findingOutput(`f${i}`, 'x'.repeat(20_000))));
    expect((await read('findings')).map(({ headers }) => String(headers['ce_id']))).toEqual(
      Array.from({ length: 100 }, (_, i) => `f${i}`),
    );
    expect(minimal).toEqual([]);
  });

  it('answers a refusal for good once, by the minimal form, and loses nothing beside it', async () => {
    const { outlet, read, minimal } = await prepared({ findings: { 'max.message.bytes': '5000' } });
    await outlet.publish([findingOutput('f1'), findingOutput('large', 'x'.repeat(10_000)), findingOutput('f3')]);
    const records = await read('findings');
    const lasts = new Map(records.map(({ headers, value }) => [String(headers['ce_id']), value!.length]));
    expect([...lasts.keys()]).toEqual(['f1', 'large', 'f3']);
    expect(lasts.get('large')).toBeLessThan(1000);
    expect(minimal).toEqual(['findings MESSAGE_TOO_LARGE']);
    await outlet.publish([findingOutput('f4')]);
    expect(await read('findings')).toHaveLength(records.length + 1);
  });

  it('throws when even that is refused', async () => {
    const { outlet, minimal } = await prepared({ findings: { 'max.message.bytes': '300' } });
    await expect(outlet.publish([findingOutput('f1')])).rejects.toThrow(/refuses finding f1 for good.*minimal form/);
    const second = await prepared({ actions: { 'max.message.bytes': '100' } });
    const tick = { topic: 'actions', key: 'fb:1', partition: 1, record: { type: 'tick.v1', body: {} } } as const;
    await expect(second.outlet.publish([tick])).rejects.toThrow(/refuses tick.v1 for partition 1 for good/);
    expect(minimal).toEqual([]);
  });

  it('makes a new producer after an error, and publishes again', async () => {
    const client = kafkaAt(kafka.brokers);
    let broken = true;
    const producers: unknown[] = [];
    const flaky = new Proxy(client, {
      get: (target, name) =>
        name !== 'producer'
          ? Reflect.get(target, name)
          : (config: never) => {
              const producer = target.producer(config);
              producers.push(producer);
              const send = producer.sendBatch;
              // The connection goes away under the request.
              producer.sendBatch = async (batch) => {
                if (broken) await producer.disconnect();
                broken = false;
                return send(batch);
              };
              return producer;
            },
    });
    const { outlet, read } = await prepared({}, { kafka: flaky });
    await expect(outlet.publish([findingOutput('f1')])).rejects.toThrow();
    await outlet.publish([findingOutput('f1')]);
    expect(producers).toHaveLength(2);
    expect(await read('findings')).toHaveLength(1);
  });

  it('quarantines a record as it was', async () => {
    const { outlet, read } = await prepared();
    const raw = {
      offset: 7,
      appendMs: 1,
      key: null,
      value: Buffer.from([0, 255]),
      headers: { h: [Buffer.from([9]), 'b'] },
    };
    const position = { topicId: 't', partition: 2, offset: '7' };
    await outlet.publish([{ topic: 'quarantine', key: null, raw, refusal: 'not_json', reason: 'no', position }]);
    const [record] = await read('quarantine');
    expect(record).toMatchObject({ key: null, value: Buffer.from([0, 255]) });
    expect(record!.headers['h']).toEqual([Buffer.from([9]), Buffer.from('b')]);
    expect(String(record!.headers['__connect.errors.class.name'])).toBe('not_json');
  });
});

import type { Admin, Consumer, Kafka, Producer } from 'kafkajs';
import { Partitioners } from 'kafkajs';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { createTopics } from '../../src/adapters/kafka/topics.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { DEFAULT_KAFKA_VERSION, type KafkaService, startKafka } from './kafka.ts';

const VERSIONS = ['3.9.2', '4.0.2', '4.1.2', DEFAULT_KAFKA_VERSION];
const ASPECTS = ['consume', 'produce', 'admin', 'group'] as const;

const worked = new Map(VERSIONS.map((version) => [version, new Set<(typeof ASPECTS)[number]>()]));

afterAll(() => {
  const rows = VERSIONS.map((version) => {
    const cells = ASPECTS.map((aspect) => (worked.get(version)!.has(aspect) ? 'yes' : '**no**'));
    return `| ${version} | ${cells.join(' | ')} |`;
  });
  process.stdout.write(`\n| Kafka | ${ASPECTS.join(' | ')} |\n|---|---|---|---|---|\n${rows.join('\n')}\n`);
});

describe.each(VERSIONS)('Kafka %s', (version) => {
  const topicPrefix = 'compatible.';
  const topic = `${topicPrefix}actions`;
  let service: KafkaService;
  let kafka: Kafka;
  let admin: Admin;
  let producer: Producer;

  beforeAll(async () => {
    service = await startKafka({ version });
    kafka = createKafka({ brokers: service.brokers, clientId: 'compatible', logger: pino({ level: 'silent' }) });
    admin = kafka.admin();
    producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await Promise.all([admin.connect(), producer.connect()]);
    const options = { topicPrefix, partitions: 2, replicationFactor: 1, clock: systemClock, brokers: service.brokers };
    const { created, problems, identity } = await createTopics(kafka, options);
    expect({ created: created.length, problems, partitions: identity.partitions }).toEqual({
      created: 10,
      problems: [],
      partitions: 2,
    });
  });

  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await service.stop();
  });

  it('produce: acks of all replicas, offsets in order, a batch that is too large refused', async () => {
    const offsets: string[] = [];
    for (let index = 0; index < 10; index++) {
      const messages = [0, 1].map((partition) => ({ partition, key: `k${partition}`, value: `v${index}` }));
      const answers = await producer.send({ topic, acks: -1, messages });
      offsets.push(answers.find(({ partition }) => partition === 0)!.baseOffset!);
    }
    expect(offsets).toEqual('0123456789'.split(''));
    const tooLarge = producer.send({ topic, messages: [{ partition: 0, value: Buffer.alloc(600_000) }] });
    await expect(tooLarge).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    worked.get(version)!.add('produce');
  });

  it('admin: offsets, the offset of a time, records deleted, settings', async () => {
    const client = new PartitionClient(kafka);
    expect(await client.bounds(topic, 0)).toEqual({ low: 0, high: 10 });
    const { appendMs } = (await client.read(topic, 0, 9))!;
    const atThatTime = await client.offsetAt(topic, 0, appendMs);
    expect((await client.read(topic, 0, atThatTime))!.appendMs).toBe(appendMs);
    expect(await client.offsetAt(topic, 0, appendMs + 60_000)).toBe(10);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '4' }] });
    await expect.poll(() => client.bounds(topic, 1)).toEqual({ low: 4, high: 10 });
    await client.close();
    worked.get(version)!.add('admin');
  });

  it('consume: every record in order, with key, value, headers and the time of the broker', async () => {
    await producer.send({ topic, messages: [{ partition: 0, key: 'k', value: 'last', headers: { name: 'value' } }] });
    const seen: string[] = [];
    const consumer = kafka.consumer({ groupId: 'reads', readUncommitted: true, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        for (const { offset, key, value, headers, timestamp } of batch.messages) {
          expect(Math.abs(Date.now() - Number(timestamp))).toBeLessThan(120_000);
          if (batch.partition === 0) seen.push(`${offset} ${key} ${value}${headers?.['name'] ?? ''}`);
          resolveOffset(offset);
        }
      },
    });
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(11);
    expect(seen).toEqual([...Array.from({ length: 10 }, (_, index) => `${index} k0 v${index}`), '10 k lastvalue']);
    await consumer.disconnect();
    worked.get(version)!.add('consume');
  });

  it('group: two members share, commit, and one takes over from the other', async () => {
    const assigned: number[][] = [[], []];
    const seen: string[] = [];
    const members = [0, 1].map(() => kafka.consumer({ groupId: 'shares', maxWaitTimeInMs: 100 }));
    const join = async (consumer: Consumer, index: number) => {
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        assigned[index] = payload.memberAssignment[topic] ?? [];
      });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const { offset } of batch.messages) seen.push(`${batch.partition}@${offset}`);
          const offset = String(Number(batch.lastOffset()) + 1);
          await consumer.commitOffsets([{ topic, partition: batch.partition, offset }]);
        },
      });
    };
    await join(members[0]!, 0);
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(17);
    await join(members[1]!, 1);
    await expect.poll(() => assigned.map((one) => one.length), { timeout: 20_000 }).toEqual([1, 1]);
    await members[0]!.disconnect();
    await expect.poll(() => assigned[1]!.length, { timeout: 20_000 }).toBe(2);
    await producer.send({ topic, messages: [0, 1].map((partition) => ({ partition, value: 'after' })) });
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(19);
    expect(new Set(seen).size).toBe(19);
    const committed = async () => {
      const [answer] = await admin.fetchOffsets({ groupId: 'shares', topics: [topic] });
      return answer!.partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
    };
    await expect.poll(committed).toEqual(['12', '11']);
    await members[1]!.disconnect();
    worked.get(version)!.add('group');
  });
});

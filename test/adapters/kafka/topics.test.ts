import { createHash } from 'node:crypto';
import { ConfigResourceTypes, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKafka } from '../../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../../src/adapters/kafka/range-reader.ts';
import { heardOf, makeTopics } from '../../../src/adapters/kafka/topic-creation.ts';
import { topicDesigns } from '../../../src/adapters/kafka/topic-design.ts';
import { readTopicIdentity } from '../../../src/adapters/kafka/topic-identity.ts';
import { checkTopics, createTopics } from '../../../src/adapters/kafka/topics.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { produceZstd } from '../../services/java-producer.ts';
import { sharedKafka } from '../../services/shared.ts';
import { makeTopic, quiet } from './log-under-test.ts';

const { brokers, prefix, version } = await sharedKafka();
const kafka = createKafka({ brokers, clientId: 'topics-test', logger: quiet });
const admin = kafka.admin();
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });

let sets = 0;
function ownSet() {
  return { topicPrefix: `${prefix}.${sets++}.`, replicationFactor: 1, partitions: 3, clock: systemClock, brokers };
}

const ofInit = ownSet();
const DESIGN = { ...ofInit, retentionMs: 7 * 86_400_000, sessionLifetimeMs: 86_400_000 };

beforeAll(async () => {
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopics(kafka, ofInit);
}, 60_000);

afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

const NAMES = 'acks actions audit commands decisions findings leases policies quarantine verdicts'.split(' ');

it('makes every topic once, and finds nothing wrong with them', async () => {
  const options = ownSet();
  const first = await createTopics(kafka, options);
  expect(first.created.sort()).toEqual(NAMES.map((name) => `${options.topicPrefix}${name}`));
  expect(first.problems).toEqual([]);
  expect(first.identity.partitions).toBe(3);
  const again = await createTopics(kafka, { ...options, partitions: 5 });
  expect(again).toEqual({ created: [], problems: [], identity: first.identity });
  expect(await checkTopics(kafka, options)).toEqual([]);
});

it('makes the rest after half of it, and keeps the identity', async () => {
  const options = ownSet();
  const { identity } = await createTopics(kafka, options);
  await admin.deleteTopics({ topics: [`${options.topicPrefix}verdicts`] });
  await expect.poll(async () => (await admin.listTopics()).includes(`${options.topicPrefix}verdicts`)).toBe(false);
  expect(await checkTopics(kafka, options)).toMatchObject([
    { topic: `${options.topicPrefix}verdicts`, setting: 'topic', found: 'missing' },
  ]);
  const { created, identity: after } = await createTopics(kafka, options);
  expect(created).toEqual([`${options.topicPrefix}verdicts`]);
  expect(after).toEqual(identity);
});

it.each([
  ['actions', 'message.timestamp.type', 'CreateTime', 'LogAppendTime'],
  ['actions', 'max.message.bytes', '1048588', 'at most 524288'],
  ['actions', 'compression.type', 'producer', 'uncompressed'],
  ['actions', 'compression.type', 'gzip', 'uncompressed'],
  ['actions', 'cleanup.policy', 'compact', 'delete'],
  ['actions', 'retention.ms', '86400000', 'at least 172800000'],
  ['actions', 'unclean.leader.election.enable', 'true', 'false'],
  ['acks', 'compression.type', 'producer', 'uncompressed'],
  ['quarantine', 'max.message.bytes', '524288', 'at least 1114112'],
  ['policies', 'cleanup.policy', 'delete', 'compact'],
] as const)('%s with %s=%s is named, with the command that mends it', async (name, setting, found, wanted) => {
  const topic = `${ofInit.topicPrefix}${name}`;
  const { settings } = topicDesigns(DESIGN).find((design) => design.name === name)!;
  const value = settings.find((one) => one.name === setting)!.value;
  const alter = (changed: Record<string, string>) => {
    const all = { ...Object.fromEntries(settings.map((one) => [one.name, one.value])), ...changed };
    const configEntries = Object.entries(all).map(([key, text]) => ({ name: key, value: text }));
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
    return admin.alterConfigs({ validateOnly: false, resources });
  };
  await alter({ [setting]: found });
  const command = `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --entity-type topics`;
  const mend = `${command} --entity-name ${topic} --add-config ${setting}=${value}`;
  await expect.poll(() => checkTopics(kafka, ofInit)).toEqual([{ topic, setting, found, wanted, mend }]);
  await alter({});
  await expect.poll(() => checkTopics(kafka, ofInit)).toEqual([]);
});

it.each([30 * 86_400_000, -1])(
  'makes the log with retention.ms=%i, and holds it to two lifetimes',
  async (retentionMs) => {
    const options = { ...ownSet(), retentionMs };
    expect((await createTopics(kafka, options)).problems).toEqual([]);
    expect(await checkTopics(kafka, { ...options, sessionLifetimeMs: 20 * 86_400_000 })).toMatchObject(
      retentionMs === -1 ? [] : [{ setting: 'retention.ms', wanted: 'at least 3456000000' }],
    );
  },
);

it('tells that the number of partitions has changed', async () => {
  const options = ownSet();
  await createTopics(kafka, options);
  const topic = `${options.topicPrefix}actions`;
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
  await expect
    .poll(() => checkTopics(kafka, options))
    .toMatchObject([{ topic, setting: 'partitions', found: '4', wanted: '3' }]);
});

it('names what Kafka refuses', async () => {
  const options = { ...ownSet(), replicationFactor: 9 };
  await expect(createTopics(kafka, options)).rejects.toThrow(/policies: Replication/);
});

it('waits for brokers that have not heard of a new topic yet', async () => {
  const topic = `${prefix}.unheard`;
  let asked = 0;
  // The first two answers are those of a broker that is behind: the real refusal for a topic that is not there.
  const behind = {
    createTopics: admin.createTopics.bind(admin),
    fetchTopicMetadata: (options?: { topics: string[] }) =>
      admin.fetchTopicMetadata(asked++ < 2 ? { topics: [`${prefix}.nobody-made-it`] } : options),
  };
  await makeTopics(behind, [{ topic, numPartitions: 3 }], systemClock);
  expect(asked).toBeGreaterThan(2);
  expect(await admin.listTopics()).toContain(topic);
});

it('looks again where the broker that it asks has not heard of what was made, and not where another topic is missing', async () => {
  const missing = (topic: string) => ({ topic, found: 'missing' });
  const answers = [[missing('a'), missing('b')], [missing('a')], [{ topic: 'a', found: '5' }]];
  expect(await heardOf(['a', 'b'], async () => answers.shift()!, systemClock)).toEqual([{ topic: 'a', found: '5' }]);
  expect(answers).toEqual([]);
  expect(await heardOf(['a'], async () => [missing('c')], systemClock)).toEqual([missing('c')]);
});

it('gives a topic that it did not make an id from the cluster, and no pinned count', async () => {
  const { topicPrefix } = ownSet();
  await makeTopic(admin, `${topicPrefix}actions`, 2);
  const { clusterId } = await admin.describeCluster();
  const topicId = createHash('sha256').update(`${clusterId}/${topicPrefix}actions`).digest('hex');
  expect(await readTopicIdentity(kafka, topicPrefix)).toEqual({ topicId, partitions: undefined });
});

it('gives a topic that was deleted and made anew another identity', async () => {
  const options = ownSet();
  const { identity } = await createTopics(kafka, options);
  const topic = `${options.topicPrefix}actions`;
  await admin.deleteTopics({ topics: [topic] });
  await expect.poll(async () => (await admin.listTopics()).includes(topic)).toBe(false);
  const after = await createTopics(kafka, { ...options, partitions: 2 });
  expect(after.identity.topicId).not.toBe(identity.topicId);
  expect(after.identity.partitions).toBe(2);
});

it('refuses an identity that it cannot read, with its place', async () => {
  const options = ownSet();
  await createTopics(kafka, options);
  const topic = `${options.topicPrefix}policies`;
  await producer.send({ topic, messages: [{ key: `topic:${options.topicPrefix}actions`, value: '{"topicId":7}' }] });
  await expect(readTopicIdentity(kafka, options.topicPrefix)).rejects.toThrow(`${topic}/0@1: `);
});

it('makes the broker refuse a record of 600 KB in the log, and take it in the quarantine', async () => {
  const messages = [{ key: 'k', value: Buffer.alloc(600_000, 7) }];
  await expect(producer.send({ topic: `${ofInit.topicPrefix}actions`, messages })).rejects.toMatchObject({
    type: 'MESSAGE_TOO_LARGE',
  });
  await producer.send({ topic: `${ofInit.topicPrefix}quarantine`, messages });
});

it('stores what a Java producer compressed with zstd so that kafkajs reads it', { timeout: 120_000 }, async () => {
  const asIs = `${prefix}.as-is`;
  await makeTopic(admin, asIs, 1);
  const safe = `${ofInit.topicPrefix}decisions`;
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index} ${'x'.repeat(200)}`);
  await Promise.all([asIs, safe].map((topic) => produceZstd({ brokers, version, topic }, lines)));
  const client = new PartitionClient(kafka);
  const read = async (topic: string) => {
    const values: string[] = [];
    for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
      values.push(Buffer.from(record.value!).toString());
    }
    return values.sort();
  };
  expect(await read(safe)).toEqual([...lines].sort());
  // So the producer did compress: without the setting of init, kafkajs cannot read it.
  await expect(read(asIs)).rejects.toThrow('ZSTD compression not implemented');
  await client.close();
});

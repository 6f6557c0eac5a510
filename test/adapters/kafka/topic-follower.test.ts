import { pino } from 'pino';
import { expect, it } from 'vitest';
import { TopicFollower } from '../../../src/adapters/kafka/topic-follower.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, makeTopic } from './log-under-test.ts';

const { brokers, prefix } = await sharedKafka();
const client = kafkaAt(brokers);
const logger = pino({ level: 'silent' });

it('hands over what is there, topic after topic, then what comes; what was removed is passed over', async () => {
  const [first, second] = [`${prefix}.first`, `${prefix}.second`];
  const admin = client.admin();
  await admin.connect();
  await makeTopic(admin, first, 3);
  await makeTopic(admin, second, 1);
  const producer = client.producer();
  await producer.connect();
  const send = (topic: string, ...values: string[]) =>
    producer.send({ topic, messages: values.map((value) => ({ key: value, value })) });
  const many = Array.from({ length: 200 }, (_, i) => `a${i}-${'x'.repeat(10_000)}`);
  // More than one answer holds, so that some partitions do not fit into it.
  for (let at = 0; at < many.length; at += 20) await send(first, ...many.slice(at, at + 20));
  await send(second, 'gone', 'gone too', 'b');
  await admin.fetchTopicOffsets(second);
  await admin.deleteTopicRecords({ topic: second, partitions: [{ partition: 0, offset: '2' }] });
  await admin.disconnect();

  const got: string[] = [];
  let came = () => {};
  const follower = new TopicFollower({
    kafka: client,
    topics: [
      { topic: first, from: 'beginning' },
      { topic: second, from: 'beginning' },
    ],
    clock: systemClock,
    logger,
    onRecord: (_topic, _partition, { value }) => void got.push(Buffer.from(value!).toString()),
    onDelivered: () => came(),
  });
  await follower.start();
  expect(got.slice(0, -1).sort()).toEqual(many.sort());
  expect(got.at(-1)).toBe('b');
  const next = new Promise<void>((resolve) => {
    came = resolve;
  });
  await send(second, 'c');
  await next;
  expect(got.at(-1)).toBe('c');

  const late: string[] = [];
  const newcomer = new TopicFollower({
    kafka: client,
    topics: [{ topic: second, from: 'end' }],
    clock: systemClock,
    logger,
    onRecord: (_topic, _partition, { value }) => void late.push(Buffer.from(value!).toString()),
  });
  await newcomer.start();
  expect(late).toEqual([]);
  await Promise.all([newcomer.stop(), follower.stop(), producer.disconnect()]);
  await follower.ended;
});

it('names a topic that is missing', async () => {
  const topics = [{ topic: `${prefix}.missing`, from: 'end' as const }];
  const follower = new TopicFollower({ kafka: client, topics, clock: systemClock, logger, onRecord: () => {} });
  await expect(follower.start()).rejects.toThrow(/does not host this topic|missing/);
  await follower.stop();
});

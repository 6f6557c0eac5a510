import { pino } from 'pino';
import { expect, it } from 'vitest';
import { VerdictReader } from '../../../src/adapters/kafka/verdict-reader.ts';
import type { Level } from '../../../src/domain/level.ts';
import type { Verdict } from '../../../src/domain/output.ts';
import { partitionOf } from '../../../src/domain/partitioner.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, makeTopic } from './log-under-test.ts';

const kafka = await sharedKafka();
const PARTITIONS = 4;

it('tells what stands for the sessions of a partition; a kill is never hidden', { timeout: 60_000 }, async () => {
  const topic = `${kafka.prefix}.verdicts`;
  const client = kafkaAt(kafka.brokers);
  const admin = client.admin();
  await admin.connect();
  await makeTopic(admin, topic, 3, { 'cleanup.policy': 'compact' });
  await admin.disconnect();
  const producer = client.producer();
  await producer.connect();
  const say = (session: string, level: Level, offset: number, key = session) => {
    const position = { topicId: 'T', partition: 0, offset: String(offset) };
    const verdict: Verdict = { session, level, command: 'c', rule: 'r', time: '2026-01-05T09:00:00.000Z', position };
    return producer.send({ topic, messages: [{ key, value: JSON.stringify(verdict) }] });
  };
  await say('a', 'paused', 1);
  await say('a', 'paused', 2);
  await say('b', 'killed', 3);
  await say('b', 'killed', 3, 'b#killed');
  await say('b', 'paused', 9);
  await say('c', 'paused', 4);
  await producer.send({
    topic,
    messages: [
      { key: 'c', value: '{' },
      { key: 'd', value: null },
    ],
  });
  await producer.disconnect();

  const lines: string[] = [];
  const reader = new VerdictReader(client, topic, pino({}, { write: (line: string) => void lines.push(line) }));
  // All at once, as in a rebuild of everything.
  const found = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => reader.of(partition, PARTITIONS)),
  );
  for (const [partition, verdicts] of found.entries()) {
    for (const { session } of verdicts) expect(partitionOf(session, PARTITIONS)).toBe(partition);
  }
  const levels = found.flat().map(({ session, level, position }) => `${session} ${level} ${position.offset}`);
  expect(levels.sort()).toEqual(['a paused 2', 'b killed 3', 'c paused 4']);
  expect(lines.filter((line) => line.includes('not a verdict'))).toHaveLength(1);
  await reader.close();
});

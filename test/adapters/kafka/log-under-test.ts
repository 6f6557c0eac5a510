import { type Admin, type Kafka, Partitioners, type Producer } from 'kafkajs';
import pino from 'pino';
import { createKafka } from '../../../src/adapters/kafka/client.ts';
import { KafkaLogSource, type KafkaLogSourceOptions } from '../../../src/adapters/kafka/log-source.ts';
import { makeTopics } from '../../../src/adapters/kafka/topic-creation.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import type { LogUnderTest } from '../../contracts/log-source.ts';

export interface KafkaLogUnderTest extends LogUnderTest {
  topic: string;
  groupId: string;
  admin: Admin;
  source(options?: Partial<KafkaLogSourceOptions>): KafkaLogSource;
}

export const quiet = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
let topics = 0;

export function kafkaAt(brokers: readonly string[]): Kafka {
  return createKafka({ brokers, clientId: 'test', logger: quiet });
}

export async function makeTopic(admin: Admin, topic: string, partitions: number, config: Record<string, string> = {}) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await makeTopics(admin, [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }], systemClock);
}

/** A topic and a group of its own on the broker of the run. */
export async function kafkaLog(
  { brokers, prefix }: { brokers: readonly string[]; prefix: string },
  partitions = 2,
): Promise<KafkaLogUnderTest> {
  const topic = `${prefix}.log.${topics++}`;
  const groupId = `${topic}.group`;
  const kafka = kafkaAt(brokers);
  const admin = kafka.admin();
  await admin.connect();
  await makeTopic(admin, topic, partitions, { 'message.timestamp.type': 'LogAppendTime' });
  let producer: Promise<Producer> | undefined;
  const connected = () => {
    producer ??= (async () => {
      const made = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await made.connect();
      return made;
    })();
    return producer;
  };
  return {
    topic,
    groupId,
    topicId: `id-of-${topic}`,
    admin,
    async append(partition, { key, value, headers = {} }) {
      const [answer] = await (await connected()).send({ topic, messages: [{ partition, key, value, headers }] });
      return Number(answer!.baseOffset);
    },
    async deleteBefore(partition, offset) {
      await admin.fetchTopicOffsets(topic); // deleteTopicRecords finds no leader without the metadata this loads
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },
    // A client of its own for each member, as in separate processes.
    source: (options = {}) =>
      new KafkaLogSource({
        kafka: kafkaAt(brokers),
        groupId,
        topic,
        topicId: `id-of-${topic}`,
        partitions,
        clock: systemClock,
        logger: quiet,
        ...options,
      }),
    async close() {
      await (await producer)?.disconnect();
      await admin.disconnect();
    },
  };
}

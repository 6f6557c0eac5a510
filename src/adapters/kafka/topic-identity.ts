import { createHash, randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { z } from 'zod';
import { Partitioners } from './kafkajs.ts';
import { PartitionClient } from './partition-client.ts';
import { readRanges, wholeTopic } from './range-reader.ts';

const IdentityRecord = z.object({
  topicId: z.string().min(1),
  topic: z.string(),
  partitions: z.int().positive(),
  createdAt: z.string(),
});
type IdentityRecord = z.infer<typeof IdentityRecord>;

/** Which incarnation of the topic this is, and how many partitions it was made with, if `init` made it. */
export interface TopicIdentity {
  topicId: string;
  partitions: number | undefined;
}

/**
 * The protocol that kafkajs speaks does not tell the id that Kafka gives a topic, so `init` writes one of its own to
 * the policies. A topic that somebody else made gets an id from the cluster and its name: stable, but the same after
 * the topic was deleted and made anew.
 */
export async function readTopicIdentity(kafka: Kafka, topicPrefix: string, name = 'actions'): Promise<TopicIdentity> {
  const topic = `${topicPrefix}${name}`;
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = await admin.listTopics();
    const policies = `${topicPrefix}policies`;
    const written = topics.includes(policies) ? await latestRecord(kafka, policies, topic) : undefined;
    if (written !== undefined) return { topicId: written.topicId, partitions: written.partitions };
    const { clusterId } = await admin.describeCluster();
    const topicId = createHash('sha256').update(`${clusterId}/${topic}`).digest('hex');
    return { topicId, partitions: undefined };
  } finally {
    await admin.disconnect();
  }
}

/** Gives the topic a new identity. For a topic that is about to be made, never for one in use. */
export async function writeTopicIdentity(
  kafka: Kafka,
  topicPrefix: string,
  { topic, partitions, nowMs }: { topic: string; partitions: number; nowMs: number },
): Promise<TopicIdentity> {
  const topicId = randomUUID();
  const record: IdentityRecord = { topicId, topic, partitions, createdAt: new Date(nowMs).toISOString() };
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    const message = { key: keyOf(topic), value: JSON.stringify(record) };
    await producer.send({ topic: `${topicPrefix}policies`, acks: -1, messages: [message] });
  } finally {
    await producer.disconnect();
  }
  return { topicId, partitions };
}

async function latestRecord(kafka: Kafka, policies: string, topic: string): Promise<IdentityRecord | undefined> {
  const client = new PartitionClient(kafka);
  const key = keyOf(topic);
  let latest: string | undefined;
  let place = '';
  try {
    for await (const { partition, record } of readRanges(client, policies, await wholeTopic(client, policies))) {
      if (record.key === null || Buffer.from(record.key).toString() !== key) continue;
      latest = record.value === null ? undefined : Buffer.from(record.value).toString();
      place = `${policies}/${partition}@${record.offset}`;
    }
  } finally {
    await client.close();
  }
  if (latest === undefined) return undefined;
  try {
    return IdentityRecord.parse(JSON.parse(latest));
  } catch (error) {
    // Another id than the one in use would change the id of every command, so no other is taken in its place.
    throw new Error(`${place}: the identity of ${topic} must be {topicId, topic, partitions, createdAt}`, {
      cause: error,
    });
  }
}

function keyOf(topic: string): string {
  return `topic:${topic}`;
}

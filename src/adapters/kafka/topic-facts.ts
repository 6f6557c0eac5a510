import type { Kafka } from 'kafkajs';
import { ConfigResourceTypes } from './kafkajs.ts';
import { PartitionClient } from './partition-client.ts';

export interface TopicFacts {
  partitions: number;
  /** How long a record is kept; Infinity without a limit. */
  retentionMs: number;
}

/** What the service has to know of its log. Throws when the topic is not there. */
export async function readTopicFacts(kafka: Kafka, topic: string): Promise<TopicFacts> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }];
    const { resources: described } = await admin.describeConfigs({ resources, includeSynonyms: false });
    const retention = Number(described[0]?.configEntries[0]?.configValue ?? -1);
    return {
      partitions: topics[0]?.partitions.length ?? 0,
      retentionMs: retention < 0 ? Number.POSITIVE_INFINITY : retention,
    };
  } finally {
    await admin.disconnect();
  }
}

/** The same number for those who may not look at settings. Throws when the topic is not there. */
export async function partitionCount(kafka: Kafka, topic: string): Promise<number> {
  const client = new PartitionClient(kafka);
  try {
    return (await client.partitions(topic)).length;
  } finally {
    await client.close();
  }
}

import type { Kafka } from 'kafkajs';
import { PartitionClient } from '../../adapters/kafka/partition-client.ts';
import { readRanges } from '../../adapters/kafka/range-reader.ts';
import { AuditEntry } from '../../domain/audit.ts';
import { controlKey, partitionOf } from '../../domain/partitioner.ts';
import { jsonOf } from '../session-history.ts';

const ENTRIES_MAX = 2000;

/**
 * The audit entries of a session since a time, oldest first. `truncated`: there are older ones than these. They stand where
 * the key of their partition of the log is.
 */
export async function readTrail(
  kafka: Kafka,
  { topic, partitions }: { topic: string; partitions: number },
  session: string,
  sinceMs: number,
): Promise<{ entries: AuditEntry[]; truncated: boolean }> {
  const client = new PartitionClient(kafka);
  const entries = new Map<string, AuditEntry>();
  let truncated = false;
  try {
    const count = (await client.partitions(topic)).length;
    const partition = partitionOf(controlKey(partitionOf(session, partitions)), count);
    const { high } = await client.bounds(topic, partition);
    const from = await client.offsetAt(topic, partition, sinceMs);
    for await (const { record } of readRanges(client, topic, [{ partition, from, to: high }])) {
      const entry = jsonOf(AuditEntry, record);
      if (entry?.session !== session) continue;
      // A repeated entry has the same place in its chain.
      entries.set(`${entry.chain}/${entry.index}`, entry);
      if (entries.size <= ENTRIES_MAX) continue;
      entries.delete(entries.keys().next().value!);
      truncated = true;
    }
  } finally {
    await client.close();
  }
  return { entries: [...entries.values()], truncated };
}

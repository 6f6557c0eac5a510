import { type Assignment, LogGap } from '../../ports.ts';
import type { PartitionClient } from './partition-client.ts';

export interface LogPlace {
  topic: string;
  topicId: string;
  partitions: number;
  groupId: string;
}

export async function assignmentOf(
  client: PartitionClient,
  { topic, topicId, partitions, groupId }: LogPlace,
  partition: number,
  lost: AbortSignal,
): Promise<Assignment> {
  const { low, high } = await client.bounds(topic, partition);
  return {
    topicId,
    partition,
    partitions,
    low,
    high,
    committed: await client.committed(groupId, topic, partition),
    lost,
    read: (offset) => client.read(topic, partition, offset),
    offsetAt: (timeMs) => client.offsetAt(topic, partition, timeMs),
  };
}

/** Throws `LogGap` unless the log holds `next`, or ends there. Asks now: both ends move while a reader takes over. */
export async function verifyHeld(client: PartitionClient, topic: string, partition: number, next: number) {
  const held = await client.bounds(topic, partition);
  if (!(next >= held.low && next <= held.high)) throw new LogGap(topic, partition, next, held);
}

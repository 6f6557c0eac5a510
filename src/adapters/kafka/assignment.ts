import { type Assignment, LogGap } from '../../ports.ts';
import type { PartitionClient } from './partition-client.ts';
import { SourceFailed } from './source-failed.ts';

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

/** A topic with more partitions than before spreads its keys otherwise: no session may be judged on. */
export function repartitionedBy(
  { topic, partitions }: LogPlace,
  assigned: readonly number[],
): SourceFailed | undefined {
  const added = assigned.find((partition) => partition >= partitions);
  if (added === undefined) return undefined;
  const message =
    `${topic}/${added} is there, but the topic had ${partitions} partitions when this process began; sessions would be ` +
    'split between partitions. Make a new topic and move to it';
  return new SourceFailed('repartitioned', message);
}

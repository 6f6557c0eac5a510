import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { RawRecord } from '../../src/domain/record.ts';

/** Every record of a topic up to its end, by partition, with nothing between kafkajs and the caller. */
export async function readTopic(kafka: Kafka, topic: string): Promise<Map<number, RawRecord[]>> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = (await offsetsOf(admin, topic)).map(({ partition, high }) => [partition, Number(high)] as const);
  await admin.disconnect();
  const found = new Map<number, RawRecord[]>(ends.map(([partition]) => [partition, []]));
  const next = new Map(ends.map(([partition]) => [partition, 0]));
  const consumer = kafka.consumer({
    groupId: `verifier-${randomUUID()}`,
    readUncommitted: true,
    maxWaitTimeInMs: 200,
    sessionTimeout: 60_000,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const records = found.get(batch.partition)!;
      for (const { offset, timestamp, key, value, headers = {} } of batch.messages) {
        const fetched = Number(offset);
        const last = records.at(-1);
        if (last !== undefined && fetched <= last.offset) continue; // again after a rebalance
        records.push({ offset: fetched, appendMs: Number(timestamp), key, value, headers: headers as never });
      }
      next.set(batch.partition, Number(batch.lastOffset()) + 1);
    },
  });
  while (ends.some(([partition, end]) => next.get(partition)! < end)) await sleep(50);
  await consumer.disconnect();
  return found;
}

const AGAIN_AFTER_MS = 500;

/** kafkajs asks the leader that it knows, and gives up where that has moved: after a fault it may have. */
async function offsetsOf(admin: Admin, topic: string): Promise<Awaited<ReturnType<Admin['fetchTopicOffsets']>>> {
  for (let left = 20; ; left--) {
    try {
      return await admin.fetchTopicOffsets(topic);
    } catch (error) {
      if (left === 0 || !(error instanceof Error && 'retriable' in error && error.retriable === true)) throw error;
      await sleep(AGAIN_AFTER_MS);
    }
  }
}

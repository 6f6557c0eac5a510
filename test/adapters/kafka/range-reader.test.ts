import { afterAll, describe, expect, it } from 'vitest';
import { PartitionClient } from '../../../src/adapters/kafka/partition-client.ts';
import { type RangeProgress, readRanges, wholeTopic } from '../../../src/adapters/kafka/range-reader.ts';
import { LogGap } from '../../../src/ports.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, kafkaLog } from './log-under-test.ts';

const kafka = await sharedKafka();
const client = new PartitionClient(kafkaAt(kafka.brokers));
const log = await kafkaLog(kafka, 3);
for (let i = 0; i < 300; i++) {
  await log.append(i % 2, { key: `k${i % 2}`, value: `${i}${'x'.repeat(9000)}`, headers: { h: String(i) } });
}
await log.deleteBefore(0, 20);

afterAll(async () => {
  await client.close();
  await log.close();
});

describe('a range of the log', { timeout: 40_000 }, () => {
  it('is read in offset order, partition by partition, with progress', async () => {
    const ranges = await wholeTopic(client, log.topic);
    expect(ranges).toEqual([
      { partition: 0, from: 20, to: 150 },
      { partition: 1, from: 0, to: 150 },
      { partition: 2, from: 0, to: 0 },
    ]);
    const seen: string[] = [];
    const progress: RangeProgress[] = [];
    for await (const { partition, record } of readRanges(client, log.topic, ranges, (now) => progress.push(now))) {
      seen.push(`${partition}/${record.offset}`);
      expect(Buffer.from(record.headers['h'] as Uint8Array).toString()).toBe(String(record.offset * 2 + partition));
    }
    const all = ranges.flatMap(({ partition, from, to }) =>
      Array.from({ length: to - from }, (_, i) => `${partition}/${from + i}`),
    );
    expect(seen).toEqual(all);
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.at(-1)).toEqual({ partition: 1, done: 150, total: 150 });
    expect(progress.every(({ done, total }) => done <= total)).toBe(true);
  });

  it('ends where it is told to, in the middle of a batch', async () => {
    const seen: number[] = [];
    for await (const { record } of readRanges(client, log.topic, [{ partition: 1, from: 7, to: 12 }])) {
      seen.push(record.offset);
    }
    expect(seen).toEqual([7, 8, 9, 10, 11]);
  });

  it.each([
    ['begins before the log', { partition: 0, from: 5, to: 30 }],
    ['ends after it', { partition: 0, from: 140, to: 151 }],
    ['lies after it', { partition: 0, from: 200, to: 210 }],
  ])('that %s is refused', async (_what, range) => {
    const reading = (async () => {
      for await (const _ of readRanges(client, log.topic, [range]));
    })();
    await expect(reading).rejects.toBeInstanceOf(LogGap);
  });

  it('of a topic that is not there is refused with its name', async () => {
    await expect(wholeTopic(client, `${log.topic}.none`)).rejects.toThrow(/topic|partition/);
  });

  it('tells what a group committed', async () => {
    expect(await client.committed('nobody', log.topic, 0)).toBeUndefined();
    await log.admin.setOffsets({ groupId: log.groupId, topic: log.topic, partitions: [{ partition: 0, offset: '9' }] });
    expect(await client.committed(log.groupId, log.topic, 0)).toBe(9);
    expect(await client.committed(log.groupId, log.topic, 1)).toBeUndefined();
  });
});

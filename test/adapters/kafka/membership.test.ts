import { setTimeout as sleep } from 'node:timers/promises';
import { type EachBatchPayload, type Kafka, Partitioners } from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KafkaLogSource } from '../../../src/adapters/kafka/log-source.ts';
import { SourceFailed } from '../../../src/adapters/kafka/source-failed.ts';
import { LogGap } from '../../../src/ports.ts';
import { TestReader, until } from '../../contracts/log-source.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, kafkaLog, makeTopic } from './log-under-test.ts';

const kafka = await sharedKafka();

async function made(partitions = 2) {
  const log = await kafkaLog(kafka, partitions);
  onTestFinished(() => log.close());
  return log;
}

function start(source: KafkaLogSource, reader: TestReader) {
  const run = source.run(reader);
  run.catch(() => undefined); // the test looks at it
  onTestFinished(() => source.stop());
  return run;
}

/** The real kafkajs, with a look at where each of its batches began and how often it was told to seek. */
function watched() {
  const began = new Map<number, number[]>();
  let seeks = 0;
  const client = new Proxy(kafkaAt(kafka.brokers), {
    get: (target, name) => {
      if (name !== 'consumer') return Reflect.get(target, name);
      return (config: Parameters<Kafka['consumer']>[0]) => {
        const consumer = target.consumer(config);
        const { run, seek } = consumer;
        consumer.seek = (to) => {
          seeks++;
          seek(to);
        };
        consumer.run = (options) => {
          const eachBatch = async (payload: EachBatchPayload) => {
            const { partition, messages } = payload.batch;
            began.set(partition, [...(began.get(partition) ?? []), Number(messages[0]?.offset)]);
            await options!.eachBatch!(payload);
          };
          return run({ ...options, eachBatch });
        };
        return consumer;
      };
    },
  });
  return { kafka: client, began, seeks: () => seeks };
}

describe('assignment on a real broker', { timeout: 40_000 }, () => {
  it('delivers nothing from the committed position while the reader still takes over', async () => {
    const log = await made();
    for (let i = 0; i < 30; i++) await log.append(i % 2, { key: 'k', value: String(i) });
    const before = log.source();
    const first = new TestReader();
    start(before, first);
    await until(() => first.values(0).length === 15 && first.values(1).length === 15);
    await before.commit(0, 10);
    await before.commit(1, 10);
    await before.stop();
    const reader = new TestReader();
    reader.onAssigned = async ({ committed }) => {
      expect(committed).toBe(10);
      await sleep(60);
      return 3;
    };
    const seen = watched();
    start(log.source({ kafka: seen.kafka }), reader);
    await until(() => reader.values(0).length === 12 && reader.values(1).length === 12);
    // Not even fetched and thrown away: the partitions were paused from the first moment.
    expect([seen.began.get(0)![0], seen.began.get(1)![0]]).toEqual([3, 3]);
    for (const partition of [0, 1]) {
      expect(reader.batches.find((batch) => batch.partition === partition)!.first).toBe(3);
    }
    expect(reader.faults).toEqual([]);
  });

  it('keeps no gap, no overlap and one batch at a time when members come and go', async () => {
    const partitions = 4;
    const log = await made(partitions);
    const next = new Map<number, number>();
    const accepted = new Map<number, number[]>();
    const busy = new Set<number>();
    const faults: string[] = [];
    const reader = () => {
      const made = new TestReader();
      made.onAssigned = async ({ partition }) => next.get(partition) ?? 0;
      made.onBatch = async ({ partition, first, next: end, records }) => {
        if (busy.has(partition)) faults.push(`${partition}: two members at once`);
        if (first !== (next.get(partition) ?? 0)) faults.push(`${partition}: from ${first}`);
        busy.add(partition);
        await sleep(20);
        accepted.set(partition, [...(accepted.get(partition) ?? []), ...records.map(({ offset }) => offset)]);
        next.set(partition, end);
        busy.delete(partition);
      };
      return made;
    };
    const total = 400;
    const writing = (async () => {
      for (let i = 0; i < total; i++) {
        await Promise.all([0, 1, 2, 3].map((partition) => log.append(partition, { key: 'k', value: String(i) })));
        await sleep(10);
      }
    })();
    const [one, two, three] = [reader(), reader(), reader()];
    start(log.source(), one);
    await until(() => one.batches.length > 10);
    const second = log.source();
    start(second, two);
    await until(() => two.batches.length > 10);
    start(log.source(), three);
    await until(() => three.batches.length > 10);
    await second.stop();
    await writing;
    await until(() => [0, 1, 2, 3].every((partition) => next.get(partition) === total));
    const all = Array.from({ length: total }, (_, offset) => offset);
    for (let partition = 0; partition < partitions; partition++) expect(accepted.get(partition)).toEqual(all);
    expect([...faults, ...one.faults, ...two.faults, ...three.faults]).toEqual([]);
    expect(one.assignments.length).toBeGreaterThan(partitions);
    const superseded = one.assignments.filter(({ partition }, at) =>
      one.assignments.slice(at + 1).some((later) => later.partition === partition),
    );
    expect(superseded.map(({ lost }) => lost.aborted)).toEqual(superseded.map(() => true));
  });

  it('keeps its membership through a batch that is longer than the session timeout', async () => {
    const log = await made(1);
    await log.append(0, { key: 'k', value: 'v' });
    const reader = new TestReader();
    reader.onBatch = ({ first }) => sleep(first === 0 ? 11_500 : 0);
    start(log.source(), reader);
    await until(() => reader.values(0).length === 1, 20_000);
    await sleep(1000);
    await log.append(0, { key: 'k', value: 'w' });
    await until(() => reader.batches.length === 2);
    expect(reader.assignments).toHaveLength(1);
  });

  it('leaves the group when it stops, and commits what it was told', async () => {
    const log = await made();
    await log.append(0, { key: 'k', value: 'v' });
    const source = log.source();
    const reader = new TestReader();
    const run = start(source, reader);
    await until(() => reader.values(0).length === 1 && reader.assignments.length === 2);
    await until(() => reader.assignments.length === 2);
    await source.commit(0, 1);
    const members = async () => (await log.admin.describeGroups([log.groupId])).groups[0]!.members.length;
    expect(await members()).toBe(1);
    const began = performance.now();
    await source.stop();
    await run;
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await members()).toBe(0);
    await source.commit(0, 1); // too late, and therefore only told to the log
    const [offsets] = await log.admin.fetchOffsets({ groupId: log.groupId, topics: [log.topic] });
    expect(offsets!.partitions.find(({ partition }) => partition === 0)!.offset).toBe('1');
  });
});

describe('what kafkajs would pass over', { timeout: 40_000 }, () => {
  it.each([
    ['some are left', 2000],
    ['none is left', 3000],
  ])('a gap: records deleted before they were read, %s', async (_what, low) => {
    const log = await made(1);
    for (let i = 0; i < 3000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => log.append(0, { key: 'k', value: 'x'.repeat(1000) })));
    }
    const reader = new TestReader();
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    reader.onBatch = () => blocked;
    const run = start(log.source(), reader);
    await until(() => reader.batches.length === 1);
    await log.deleteBefore(0, low);
    release();
    if (low === 3000) {
      await sleep(1500);
      await log.append(0, { key: 'k', value: 'after' });
    }
    const error = await run.catch((found: unknown) => found);
    expect(error).toBeInstanceOf(LogGap);
    const read = reader.values(0).length;
    expect(read).toBeLessThan(1000);
    expect(error).toMatchObject({ next: read, partition: 0, topic: log.topic });
    expect((error as Error).message).toContain(`records ${read} to ${low - 1} were deleted`);
  });

  it('nothing: control records count as passed, records of an aborted transaction are read', async () => {
    const log = await made(1);
    const producer = kafkaAt(kafka.brokers).producer({
      transactionalId: log.topic,
      maxInFlightRequests: 1,
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const transact = async (value: string, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: log.topic, messages: [{ partition: 0, value }] });
      await transaction[end]();
    };
    const reader = new TestReader();
    const seen = watched();
    start(log.source({ kafka: seen.kafka }), reader);
    await transact('committed', 'commit');
    await until(() => reader.values(0).length === 1);
    await sleep(600); // the marker alone is fetched
    await transact('aborted', 'abort');
    await transact('last', 'commit');
    await log.append(0, { key: 'k', value: 'plain' });
    await until(() => reader.values(0).length === 4);
    expect(reader.values(0)).toEqual(['committed', 'aborted', 'last', 'plain']);
    expect(reader.batches.at(-1)!.next).toBe(7);
    expect(seen.seeks()).toBe(1); // the one of the assignment: what holds no records is no gap to be mended
    expect(reader.faults).toEqual([]);
    expect(reader.assignments).toHaveLength(1);
  });

  it('an unreadable codec ends the run with a reason', async () => {
    const log = await made(1);
    const topic = `${log.topic}.zstd`;
    await makeTopic(log.admin, topic, 1, { 'compression.type': 'zstd' });
    const producer = kafkaAt(kafka.brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'k', value: 'x'.repeat(2000) }] });
    await producer.disconnect();
    const reader = new TestReader();
    const error = await start(log.source({ topic, partitions: 1 }), reader).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(SourceFailed);
    expect(error).toMatchObject({ reason: 'crashed' });
    expect((error as Error).message).toContain('ZSTD');
    expect(reader.values(0)).toEqual([]);
  });

  it('a partition that was added ends the run of whoever gets it', async () => {
    const log = await made(2);
    const reader = new TestReader();
    const run = start(log.source(), reader);
    await until(() => reader.assignments.length === 2);
    await log.admin.createPartitions({ topicPartitions: [{ topic: log.topic, count: 3 }] });
    const second = new TestReader(); // the group spreads the partitions anew
    const other = start(log.source(), second);
    const error = await Promise.race([run, other]).catch((found: unknown) => found);
    expect(error).toMatchObject({
      reason: 'repartitioned',
      message: expect.stringContaining(`${log.topic}/2 is there`),
    });
    for (const { assignments } of [reader, second])
      expect(assignments.every(({ partition }) => partition < 2)).toBe(true);
  });

  it('a batch that does not end: the watch gives up', async () => {
    const log = await made(1);
    await log.append(0, { key: 'k', value: 'v' });
    const reader = new TestReader();
    reader.onBatch = () =>
      new Promise((_, reject) => {
        reader.assignments[0]!.lost.addEventListener('abort', () => reject(new Error('lost')));
      });
    const run = start(log.source({ stallMs: 700 }), reader);
    const error = await run.catch((found: unknown) => found);
    expect(error).toMatchObject({ name: 'SourceFailed', reason: 'stalled' });
    expect(reader.assignments[0]!.lost.aborted).toBe(true);
  });
});

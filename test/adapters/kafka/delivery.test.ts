import type { Batch, ConsumerRunConfig, EachBatchPayload, Kafka } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import { TestReader, until } from '../../contracts/log-source.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, kafkaLog } from './log-under-test.ts';

const kafka = await sharedKafka();

type Disturb = (batch: Batch, previous: Batch) => Batch;

/** The real kafkajs, but what its third fetch brought is told otherwise. */
function disturbed(disturb: Disturb): Kafka {
  return new Proxy(kafkaAt(kafka.brokers), {
    get: (target, name) => {
      if (name !== 'consumer') return Reflect.get(target, name);
      return (config: Parameters<Kafka['consumer']>[0]) => {
        const consumer = target.consumer(config);
        const { run } = consumer;
        const batches: Batch[] = [];
        const eachBatch = (wanted: ConsumerRunConfig['eachBatch']) => (payload: EachBatchPayload) => {
          batches.push(payload.batch);
          const third = batches.length === 3;
          return wanted!(third ? { ...payload, batch: disturb(payload.batch, batches[1]!) } : payload);
        };
        consumer.run = (options) => run({ ...options, eachBatch: eachBatch(options?.eachBatch) });
        return consumer;
      };
    },
  });
}

function told(batch: Batch, fields: object): Batch {
  return Object.assign(Object.create(batch), fields);
}

function fetchedOffset(batch: Batch): string {
  return (batch as unknown as { fetchedOffset: string }).fetchedOffset;
}

it.each<[string, Disturb]>([
  [
    'begins too late',
    (batch) => told(batch, { fetchedOffset: batch.messages[3]!.offset, messages: batch.messages.slice(3) }),
  ],
  [
    'begins with what was read',
    (batch, previous) =>
      told(batch, { fetchedOffset: fetchedOffset(previous), messages: [...previous.messages, ...batch.messages] }),
  ],
  ['brings nothing but what was read', (_, previous) => previous],
  ['comes from a log that is shorter', (batch) => told(batch, { highWatermark: '3' })],
])('asks again, and loses and repeats nothing, when a fetch %s', { timeout: 40_000 }, async (_what, disturb) => {
  const log = await kafkaLog(kafka, 1);
  onTestFinished(() => log.close());
  const total = 1500;
  for (let i = 0; i < total; i += 100) {
    await Promise.all(Array.from({ length: 100 }, () => log.append(0, { key: 'k', value: 'x'.repeat(1000) })));
  }
  const reader = new TestReader();
  const source = log.source({ kafka: disturbed(disturb) });
  const run = source.run(reader);
  await until(() => reader.values(0).length >= total);
  await source.stop();
  await run;
  expect(reader.records.get(0)!.map(({ offset }) => offset)).toEqual(Array.from({ length: total }, (_, i) => i));
  expect(reader.faults).toEqual([]);
  expect(reader.assignments).toHaveLength(1);
});

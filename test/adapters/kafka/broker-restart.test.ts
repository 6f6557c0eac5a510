import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { createKafka } from '../../../src/adapters/kafka/client.ts';
import { KafkaOutlet } from '../../../src/adapters/kafka/outlet.ts';
import { PartitionClient } from '../../../src/adapters/kafka/partition-client.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { createLogger } from '../../../src/adapters/telemetry/log.ts';
import { TestReader, until } from '../../contracts/log-source.ts';
import { commandOutput } from '../../contracts/outlet.ts';
import { DEFAULT_KAFKA_VERSION, startKafka } from '../../services/kafka.ts';
import { kafkaAt, kafkaLog, makeTopic, quiet } from './log-under-test.ts';

const kafka = await startKafka({ version: DEFAULT_KAFKA_VERSION });
afterAll(() => kafka.stop());

it('says nothing of a coordinator that a new broker does not have yet', { timeout: 60_000 }, async () => {
  const log = await kafkaLog({ brokers: kafka.brokers, prefix: 'new' });
  onTestFinished(() => log.close());
  const lines: { level: string; msg: string }[] = [];
  const logger = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line)) });
  const client = new PartitionClient(createKafka({ brokers: kafka.brokers, clientId: 'test', logger }));
  onTestFinished(() => client.close());
  expect(await client.committed('nobody', log.topic, 0)).toBeUndefined();
  const asked = lines.filter(({ msg }) => msg.startsWith('Response GroupCoordinator('));
  expect(new Set(asked.map(({ level }) => level))).toEqual(new Set(['debug']));
});

it('goes on after the broker was killed and came back', { timeout: 120_000 }, async () => {
  const log = await kafkaLog({ brokers: kafka.brokers, prefix: 'restart' });
  onTestFinished(() => log.close());
  await makeTopic(log.admin, `${log.topic}.commands`, 1);
  const outlet = new KafkaOutlet({
    kafka: kafkaAt(kafka.brokers),
    clock: systemClock,
    logger: quiet,
    topicPrefix: `${log.topic}.`,
    source: '/firebreak/test',
    expireAfterMs: 60_000,
    onMinimalForm: () => undefined,
  });
  onTestFinished(() => outlet.close());
  const reader = new TestReader();
  const next = new Map<number, number>();
  reader.onAssigned = async ({ partition }) => next.get(partition) ?? 0;
  reader.onBatch = async ({ partition, next: end, records }) => {
    await outlet.publish(records.map(({ offset }) => commandOutput(`${partition}/${offset}`, 'pause')));
    next.set(partition, end);
  };
  const source = log.source();
  const run = source.run(reader);
  let ended: unknown;
  run.catch((error: unknown) => {
    ended = error;
  });
  for (let i = 0; i < 20; i++) await log.append(i % 2, { key: 'k', value: String(i) });
  await until(() => next.get(0) === 10 && next.get(1) === 10);
  await kafka.restart();
  for (let i = 0; i < 20; i++) {
    await log.append(i % 2, { key: 'k', value: String(i) }).catch(() => sleep(500));
  }
  const ends = (await log.admin.fetchTopicOffsets(log.topic)).map(({ high }) => Number(high));
  expect(Math.min(...ends)).toBeGreaterThan(10);
  await until(() => ends.every((end, partition) => next.get(partition) === end) || ended !== undefined, 60_000);
  expect(ended).toBeUndefined();
  expect(reader.faults).toEqual([]);
  await source.stop();
  await run;
});

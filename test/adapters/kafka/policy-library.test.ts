import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import { KafkaPolicyLibrary } from '../../../src/adapters/kafka/policy-library.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { policyLibraryContract } from '../../contracts/policy-library.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, makeTopic } from './log-under-test.ts';

const kafka = await sharedKafka();
let topics = 0;

async function made(waitMs: number) {
  const topic = `${kafka.prefix}.policies.${topics++}`;
  const admin = kafkaAt(kafka.brokers).admin();
  await admin.connect();
  await makeTopic(admin, topic, 3, { 'cleanup.policy': 'compact' });
  await admin.disconnect();
  const open = () =>
    new KafkaPolicyLibrary({ kafka: kafkaAt(kafka.brokers), topic, engine: 3, clock: systemClock, waitMs });
  const [library, other] = [open(), open()];
  return {
    topic,
    library,
    other,
    engine: 3,
    close: async () => {
      await library.close();
      await other.close();
    },
  };
}

policyLibraryContract('Kafka', () => made(300));

it('waits for a body that comes a little later', { timeout: 40_000 }, async () => {
  const { library, other, close } = await made(10_000);
  onTestFinished(close);
  const body = Buffer.from('late');
  const hash = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const policy = { hash, chunks: 1, engine: 3 };
  const got = other.get(policy);
  await sleep(500);
  await library.put(body);
  expect(Buffer.from(await got).toString()).toBe('late');
});

it('refuses what somebody else wrote under the hash', { timeout: 40_000 }, async () => {
  const { topic, library, other, close } = await made(300);
  onTestFinished(close);
  const policy = await library.put(Buffer.from('true'));
  const producer = kafkaAt(kafka.brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  await producer.send({ topic, messages: [{ key: `${policy.hash}/0`, value: 'false' }] });
  await expect(other.get(policy)).rejects.toThrow(/PolicyUnavailable|what is stored under it/);
});

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Activation, ActivationHistory } from '../../../src/adapters/kafka/activation-history.ts';
import { KafkaPolicyLibrary } from '../../../src/adapters/kafka/policy-library.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaAt, makeTopic } from './log-under-test.ts';

const kafka = await sharedKafka();

it('holds the last 32 activations, the newest last, beside the bodies', { timeout: 60_000 }, async () => {
  const topic = `${kafka.prefix}.activations`;
  const client = kafkaAt(kafka.brokers);
  const admin = client.admin();
  await admin.connect();
  await makeTopic(admin, topic, 3, { 'cleanup.policy': 'compact' });
  await admin.disconnect();
  const library = new KafkaPolicyLibrary({ kafka: client, topic, engine: 1, clock: systemClock });
  const policy = await library.put(Buffer.from('a body'));
  const history = new ActivationHistory(client, topic);
  expect(await history.read()).toEqual([]);
  const of = (letter: string, state: Activation['state'] = 'complete'): Activation => {
    const hash = `sha256:${createHash('sha256').update(letter).digest('hex')}`;
    return { hash, chunks: 1, engine: 1, by: 'kim', at: '2026-01-05T09:00:00.000Z', state };
  };
  await history.add(of('a'));
  await history.add(of('b', 'begun'));
  expect(await history.read()).toEqual([of('a'), of('b', 'begun')]);
  await history.add(of('b'));
  await history.add(of('b')); // repeated, because nobody knew whether the first call took effect
  await history.add(of('a'));
  expect(await history.read()).toEqual(['a', 'b', 'a'].map((letter) => of(letter)));
  for (let i = 0; i < 31; i++) await history.add(of(`${i}`));
  const remembered = await new ActivationHistory(client, topic).read();
  expect(remembered).toEqual(['a', ...Array.from({ length: 31 }, (_, i) => `${i}`)].map((letter) => of(letter)));
  const other = new KafkaPolicyLibrary({ kafka: client, topic, engine: 1, clock: systemClock });
  expect(Buffer.from(await other.get(policy)).toString()).toBe('a body');
  await Promise.all([library.close(), other.close()]);
});

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { createKafka } from '../../../src/adapters/kafka/client.ts';
import { sharedKafka } from '../../services/shared.ts';
import { quiet } from './log-under-test.ts';

const { brokers } = await sharedKafka();

it('leaves an idle connection asleep', async () => {
  const admin = createKafka({ brokers, clientId: 'idle', logger: quiet }).admin();
  await admin.connect();
  await admin.describeCluster();
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue').prototype;
  const checks = vi.spyOn(queue, 'checkPendingRequests');
  await sleep(1000);
  expect(checks.mock.calls.length).toBeLessThan(5); // some 800 without the guard
  const cluster = await admin.describeCluster(); // and the next request still goes out
  expect(cluster.brokers.length).toBeGreaterThan(0);
  checks.mockRestore();
  await admin.disconnect();
});

it('sends what had to wait: more requests than may be in flight', async () => {
  const admin = createKafka({ brokers, clientId: 'busy', logger: quiet }).admin();
  await admin.connect();
  const answers = await Promise.all(Array.from({ length: 50 }, () => admin.describeCluster()));
  expect(answers).toHaveLength(50);
  await admin.disconnect();
});

it('tells where it cannot connect, after a bounded number of attempts, in the log of the process', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line) => lines.push(line) });
  const admin = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'nobody', logger }).admin();
  await expect(admin.connect()).rejects.toThrow('127.0.0.1:1');
  expect(lines.some((line) => line.includes('127.0.0.1:1'))).toBe(true);
});

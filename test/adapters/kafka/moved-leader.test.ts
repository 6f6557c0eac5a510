import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ActionWriter } from '../../../src/adapters/kafka/action-writer.ts';
import { KafkaOutlet } from '../../../src/adapters/kafka/outlet.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { generateKeyPair } from '../../../src/app/keys.ts';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { signingKeyOf } from '../../../src/formats/signature.ts';
import { Brokers } from '../../chaos/brokers.ts';
import { readTopic } from '../../chaos/read-topic.ts';
import { commandOutput } from '../../contracts/outlet.ts';
import { kafkaAt, quiet } from './log-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-leader-'));
const brokers = await Brokers.start(folder, 'shared');
afterAll(async () => {
  await brokers.stop();
  rmSync(folder, { recursive: true, force: true });
});

const TOPICS = ['fb.commands', 'fb.actions'];
const SESSIONS = Array.from({ length: 20 }, (_, i) => `s-${i}`);

it('nothing is lost when a partition moves to a leader that has answered already', { timeout: 120_000 }, async () => {
  const client = kafkaAt(brokers.direct);
  await brokers.withAdmin(async (admin) => {
    const replicaAssignment = [
      { partition: 0, replicas: [1, 2] },
      { partition: 1, replicas: [2, 1] },
    ];
    const configEntries = [{ name: 'min.insync.replicas', value: '1' }];
    const topics = TOPICS.map((topic) => ({ topic, replicaAssignment, configEntries }));
    await admin.createTopics({ topics, waitForLeaders: true });
  });
  const outlet = new KafkaOutlet({
    kafka: client,
    clock: systemClock,
    logger: quiet,
    topicPrefix: 'fb.',
    source: '/firebreak/test',
    expireAfterMs: 60_000,
    signingKey: signingKeyOf(generateKeyPair()),
    onMinimalForm: () => {},
  });
  const writer = await ActionWriter.open(client, 'fb.actions', systemClock);
  const kill = (round: string) =>
    outlet.publish(SESSIONS.map((session) => commandOutput(`${round}-${session}`, 'kill', { session })));
  const act = (round: string) =>
    writer.write(SESSIONS.map((session) => ({ id: `${round}-${session}`, session }) as ActionEvent));
  await Promise.all([kill('before'), act('before')]);
  // Who wrote before asks the second broker for what the first one leads now, and the first one answers beside it.
  await brokers.withAdmin(async (admin) => {
    const partitionAssignment = [{ partition: 1, replicas: [1, 2] }];
    await admin.alterPartitionReassignments({ topics: TOPICS.map((topic) => ({ topic, partitionAssignment })) });
    const led = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: TOPICS });
      return topics.every(({ partitions }) => partitions.every(({ leader }) => leader === 1));
    };
    while (!(await led())) await systemClock.sleep(200);
  });
  await Promise.all([kill('after'), act('after')]);
  await outlet.close();
  await writer.close();

  const wanted = ['after', 'before'].flatMap((round) => SESSIONS.map((session) => `${round}-${session}`)).sort();
  for (const topic of TOPICS) {
    const found = [...(await readTopic(brokers.client(), topic)).values()].flat();
    const ids = new Set(found.map(({ value }) => (JSON.parse(String(value)) as { id: string }).id));
    expect([topic, ...[...ids].sort()]).toEqual([topic, ...wanted]);
  }
});

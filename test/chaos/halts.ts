import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes } from 'kafkajs';
import { Deployment } from './deployment.ts';
import { report, type Told } from './report.ts';
import { type Stand, writeRules } from './stand.ts';
import { ORDINARY, POISON_HEADER } from './traffic.ts';

const ENDS_WITHIN_MS = 90_000;
/** Zeros: next to nothing on their way, and four times what the topic takes when they are unpacked. */
const BOMB = { records: 2000, bytes: 1024 };
/** Longer than enforcers wait for a lease. */
const BLIND_MS = 16_000;

type Special = (stand: Stand, told: Told) => Promise<string[]>;

/** Where going on would be wrong, and where nothing may happen at all: each with an expectation of its own. */
export const halts = {
  'retention-passed': (stand, told) =>
    withDeployment(stand, told, 'retention', async (deployment) => {
      await deployment.fleet.killAll();
      await sleep(1000);
      await deployment.stopPump();
      const highs = await deployment.highs();
      const partitions = highs.map((high, partition) => ({ partition, offset: String(high) }));
      await stand.brokers.withAdmin(async (admin) => {
        await admin.fetchTopicOffsets(deployment.topic); // deleteTopicRecords finds no leader without what this loads
        await admin.deleteTopicRecords({ topic: deployment.topic, partitions });
      });
      return expectEnd(deployment, told, /were deleted before they were judged/);
    }),

  'topic-recreated': (stand, told) =>
    withDeployment(stand, told, 'recreated', async (deployment) => {
      await deployment.fleet.killAll();
      await deployment.stopPump();
      await stand.brokers.withAdmin((admin) => admin.deleteTopics({ topics: [deployment.topic] }));
      await sleep(3000);
      const { code, err } = await deployment.cli('init', '--partitions', '6', '--replication-factor', '3');
      if (code !== 0) return [`init failed: ${err}`];
      return expectEnd(deployment, told, /the state is of topic/);
    }),

  'partition-added': (stand, told) =>
    withDeployment(stand, told, 'partitions', async (deployment) => {
      deployment.fleet.unsupervise();
      const topicPartitions = [{ topic: deployment.topic, count: deployment.partitions + 1 }];
      await stand.brokers.withAdmin((admin) => admin.createPartitions({ topicPartitions }));
      return expectEnd(deployment, told, /partitions/);
    }),

  'bad-policy': (stand, told) =>
    withDeployment(stand, told, 'bad-policy', async (deployment) => {
      const folder = writeRules(
        join(stand.folder, `broken-${deployment.prefix}`),
        'id: deletes\ntitel: no such field\n',
      );
      const refused = await deployment.cli('activate', folder);
      const forged = { hash: `sha256:${'1'.repeat(64)}`, chunks: 1, engine: 1 };
      const headers = { [POISON_HEADER]: '1', ce_type: 'dev.firebreak.policy.activated.v1' };
      const messages = Array.from({ length: deployment.partitions }, (_, partition) => {
        return { key: `fb:${partition}`, partition, value: JSON.stringify(forged), headers };
      });
      await deployment.produce(messages);
      await deployment.recovered();
      const faults = report(await deployment.verify(), told);
      return refused.code === 0 ? [...faults, 'a folder with mistakes was activated'] : faults;
    }),

  'bomb-batch': (stand, told) =>
    withDeployment(stand, told, 'bombs', async (deployment) => {
      const producer = stand.brokers.client().producer({ retry: { retries: 0 } });
      await producer.connect();
      const one = { key: 'bomb', value: Buffer.alloc(BOMB.bytes), partition: 0, headers: { [POISON_HEADER]: '1' } };
      const messages = Array.from({ length: BOMB.records }, () => one);
      const compression = CompressionTypes.GZIP;
      const outcome = await producer.send({ topic: deployment.topic, acks: -1, messages, compression }).then(
        () => 'taken',
        (error: Error) => `refused: ${error.message}`,
      );
      told.say(`  ${BOMB.records} records of ${BOMB.bytes} zeros, compressed: ${outcome}`);
      await producer.disconnect();
      await deployment.recovered();
      return report(await deployment.verify(), told);
    }),

  'open-transaction': (stand, told) =>
    withDeployment(stand, told, 'transaction', async (deployment) => {
      const producer = stand.brokers.client().producer({ transactionalId: deployment.prefix, idempotent: true });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic: deployment.topic, messages: deployment.traffic.next(50, Date.now(), ORDINARY) });
      const ms = await deployment.recovered();
      told.say(`  with a transaction open: all judged after ${(ms / 1000).toFixed(1)} s`);
      const faults = report(await deployment.verify(), told);
      await transaction.abort();
      await producer.disconnect();
      return faults;
    }),

  'lease-expires': (stand, told) =>
    withDeployment(stand, told, 'lease', async (deployment) => {
      const leases = async () => [...(await deployment.leases()).values()].flat();
      await deployment.fleet.killAll();
      const before = (await leases()).length;
      await sleep(BLIND_MS);
      const blind = (await leases()).length;
      deployment.fleet.start();
      const ms = await deployment.recovered();
      await sleep(2000);
      const after = (await leases()).length;
      told.say(
        `  ${before} leases, ${blind} after ${BLIND_MS / 1000} s without an analyzer, ${after} when it judges again (${(ms / 1000).toFixed(1)} s)`,
      );
      const faults = report(await deployment.verify(), told);
      if (blind > before) faults.push('a lease was renewed while nobody judged');
      if (after <= blind) faults.push('no lease is renewed');
      return faults;
    }),
} as const satisfies Record<string, Special>;

export type HaltName = keyof typeof halts;

async function withDeployment(
  stand: Stand,
  { seed }: Told,
  name: string,
  work: (deployment: Deployment) => Promise<string[]>,
): Promise<string[]> {
  const deployment = await Deployment.start(stand, { name, seed });
  try {
    await sleep(2000);
    return await work(deployment);
  } finally {
    await deployment.close();
  }
}

/** Every analyzer must end by itself with code 1 and say why; none may pass anything over. */
async function expectEnd(deployment: Deployment, { say }: Told, why: RegExp): Promise<string[]> {
  const { fleet } = deployment;
  const before = await deployment.nexts();
  fleet.start();
  fleet.unsupervise();
  const deadlineMs = performance.now() + ENDS_WITHIN_MS;
  const beganMs = performance.now();
  while (fleet.members.some(({ alive }) => alive) && performance.now() < deadlineMs) await sleep(100);
  const faults = fleet.members.filter(({ alive }) => alive).map(({ name }) => `${name} goes on`);
  say(`  all ended after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  for (const { name, how, reason } of fleet.ends) {
    say(`    ${name} ended with ${how}: ${reason}`);
    if (how !== 1 || !why.test(reason)) faults.push(`${name} ended with ${how}, not for ${why}: ${reason}`);
  }
  if (fleet.ends.length === 0) faults.push('no analyzer said why it ended');
  const after = await deployment.nexts();
  if (before.join() !== after.join()) say(`  the state moved from ${before} to ${after}`);
  return faults;
}

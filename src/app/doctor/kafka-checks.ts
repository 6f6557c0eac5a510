import type { Kafka } from 'kafkajs';
import type { ClusterFacts } from '../../adapters/kafka/cluster-facts.ts';
import { PartitionClient } from '../../adapters/kafka/partition-client.ts';
import { checkTopics } from '../../adapters/kafka/topics.ts';
import type { Clock } from '../../ports.ts';
import { type Config, groupIdOf, regroupIdOf } from '../config.ts';
import { type Check, ok, problem, unknown } from './check.ts';

/** Enforcers and people compare times of ours with those of the brokers. */
export const SKEW_MAX_MS = 2000;
const LEASE_WITHIN_MS = 4000;
const LOOK_EVERY_MS = 200;
/** What only the analyzer may write: a second writer can stop or free sessions. */
const OURS = ['commands', 'verdicts', 'leases', 'findings'] as const;
/** A group behind by more than this is late by seconds at least. */
const LAG_MAX = 100_000;

export async function checkKafka(kafka: Kafka, facts: ClusterFacts, config: Config, clock: Clock): Promise<Check[]> {
  const { topicPrefix } = config.kafka;
  const brokers = await facts.brokers();
  const topics = await topicChecks(kafka, config);
  const checks = [ok('Kafka', `${brokers.length} brokers: ${brokers.join(', ')}`), ...topics];
  if (topics.some(({ found }) => found.includes('is missing'))) return checks;
  return [
    ...checks,
    ...(await replicaChecks(facts, config)),
    await aclCheck(facts, topicPrefix),
    ...(await groupChecks(facts, config)),
    await skewCheck(kafka, topicPrefix, clock),
  ];
}

async function topicChecks(kafka: Kafka, { kafka: { topicPrefix, brokers } }: Config): Promise<Check[]> {
  const problems = await checkTopics(kafka, { topicPrefix, brokers, replicationFactor: 1 });
  if (problems.length === 0) return [ok('topics', 'all there, with the settings that they must have')];
  return problems.map(({ topic, setting, found, wanted, mend }) =>
    problem(`topic ${topic}`, setting === 'topic' ? 'is missing' : `${setting} is ${found}, must be ${wanted}`, mend),
  );
}

async function replicaChecks(facts: ClusterFacts, { kafka: { topicPrefix, brokers } }: Config): Promise<Check[]> {
  const count = await facts.partitionCount(`${topicPrefix}actions`);
  const outOfSync = await facts.outOfSync(topicPrefix);
  return [
    ok('partitions', `${count}: at most so many analyzers judge at once; the count never changes`),
    outOfSync.length === 0
      ? ok('replicas', 'all in sync')
      : problem(
          'replicas',
          `${outOfSync.length} partitions are not on all their replicas: ${outOfSync.slice(0, 5).join(', ')}`,
          `bring the missing brokers back; kafka-topics.sh --bootstrap-server ${brokers.join(',')} --describe --under-replicated-partitions`,
        ),
  ];
}

async function aclCheck(facts: ClusterFacts, topicPrefix: string): Promise<Check> {
  const writers = await facts.writers(OURS.map((name) => `${topicPrefix}${name}`));
  if (writers === 'hidden') return unknown('ACLs', 'this login may not see them');
  if (writers === 'none') {
    return problem(
      'ACLs',
      'the brokers have no authorizer: whoever reaches them can write commands and verdicts',
      'set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer on the brokers; then the commands in deploy/SECURITY.md. For trying on one machine it may stay so',
    );
  }
  const open = [...writers].filter(([, principals]) => principals.includes('User:*') || principals.length > 1);
  if (open.length === 0) return ok('ACLs', 'nobody but one login may write commands, verdicts, leases and findings');
  const [topic, principals] = open[0]!;
  return problem(
    'ACLs',
    `${topic} may be written by ${principals.join(', ')}; only the analyzer should`,
    `kafka-acls.sh --remove --operation Write --topic ${topic} --allow-principal of all but the analyzer`,
  );
}

/** Of those who judge the log, and of those who copy another one into it. */
async function groupChecks(facts: ClusterFacts, { kafka, regroup: { from } }: Config): Promise<Check[]> {
  const run = `firebreak run --brokers ${kafka.brokers.join(',')}`;
  const own = await groupCheck(facts, groupIdOf(kafka), `${kafka.topicPrefix}actions`, 'nothing is judged', run);
  if (from === undefined) return [own];
  const mend = `${run} --topic-prefix ${kafka.topicPrefix} --regroup-from ${from}`;
  return [own, await groupCheck(facts, regroupIdOf(kafka), `${from}actions`, 'no crowd is judged', mend)];
}

async function groupCheck(
  facts: ClusterFacts,
  groupId: string,
  topic: string,
  without: string,
  mend: string,
): Promise<Check> {
  const { state, members, lag } = await facts.group(groupId, topic);
  const about = `group ${groupId}`;
  if (members === 0) return problem(about, `${state}, no members: ${without}, ${lag} records wait`, mend);
  if (state !== 'Stable')
    return problem(about, `${state}: partitions are being given out`, 'look again in a few seconds');
  if (lag > LAG_MAX) return problem(about, `${members} members, ${lag} records wait`, `${mend}, on more machines`);
  return ok(about, `${members} members, ${lag} records not committed yet`);
}

/** The owner of partition 0 says once a second how far it is: the append time of the next lease is the broker's clock. */
async function skewCheck(kafka: Kafka, topicPrefix: string, clock: Clock): Promise<Check> {
  const about = 'clock of the brokers';
  const client = new PartitionClient(kafka);
  const topic = `${topicPrefix}leases`;
  try {
    const places = await client.partitions(topic);
    const ends = async () => Promise.all(places.map(async (partition) => (await client.bounds(topic, partition)).high));
    const before = await ends();
    for (let waitedMs = 0; waitedMs < LEASE_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
      await clock.sleep(LOOK_EVERY_MS);
      const nowMs = clock.nowMs();
      const after = await ends();
      const at = after.findIndex((high, index) => high > before[index]!);
      if (at < 0) continue;
      const record = await client.read(topic, places[at]!, after[at]! - 1);
      if (record !== undefined)
        return skewOf(about, record.appendMs - nowMs, 'NTP on every broker and here: chronyc tracking');
    }
    return unknown(about, 'no analyzer writes leases, so no record is new');
  } finally {
    await client.close();
  }
}

export function skewOf(about: string, skewMs: number, mend: string): Check {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  if (Math.abs(skewMs) <= SKEW_MAX_MS) return ok(about, `within ${SKEW_MAX_MS / 1000} s of ours`);
  return problem(about, `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`, mend);
}

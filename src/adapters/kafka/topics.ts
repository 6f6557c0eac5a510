import type { Admin, Kafka } from 'kafkajs';
import type { Clock } from '../../ports.ts';
import { ConfigResourceTypes } from './kafkajs.ts';
import { heardOf, makeTopics } from './topic-creation.ts';
import { type DesignOptions, settingHolds, type TopicDesign, topicDesigns } from './topic-design.ts';
import { readTopicIdentity, type TopicIdentity, writeTopicIdentity } from './topic-identity.ts';

export interface TopicOptions {
  /** First part of every topic name, such as `firebreak.`. */
  topicPrefix: string;
  /** Replicas of each new topic. */
  replicationFactor: number;
  retentionMs?: number;
  sessionLifetimeMs?: number;
  /** For the commands that mend what is wrong. */
  brokers: readonly string[];
}

export interface CreateTopicsOptions extends TopicOptions {
  /** Partitions of the log. Changing it later is a migration. */
  partitions: number;
  clock: Clock;
}

/** A topic that is not as it must be. */
export interface TopicProblem {
  topic: string;
  setting: string;
  found: string;
  wanted: string;
  /** The command that mends it, or what there is to do where no command does. */
  mend: string;
}

export interface TopicsCreated {
  created: string[];
  /** What is wrong with topics that were there before. They are never changed. */
  problems: TopicProblem[];
  identity: TopicIdentity;
}

const DAY_MS = 86_400_000;
const RETENTION_MS = 7 * DAY_MS;
const SESSION_LIFETIME_MS = DAY_MS;

/** Makes the topics that are missing. Safe to repeat, also after half of it. */
export async function createTopics(kafka: Kafka, options: CreateTopicsOptions): Promise<TopicsCreated> {
  const { topicPrefix, replicationFactor, partitions, clock } = options;
  const created: string[] = [];
  await withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = designsOf(options, partitions).filter(({ name }) => !existing.has(`${topicPrefix}${name}`));
    const create = async (designs: TopicDesign[]) => {
      if (designs.length === 0) return;
      const topics = designs.map((design) => topicOf(design, topicPrefix, replicationFactor));
      await makeTopics(admin, topics, clock);
      created.push(...topics.map(({ topic }) => topic));
    };
    await create(missing.filter(({ name }) => name === 'policies'));
    // Identity first: there is no moment in which the log exists and passes for one that somebody else made.
    if (missing.some(({ name }) => name === 'actions')) {
      await writeTopicIdentity(kafka, topicPrefix, {
        topic: `${topicPrefix}actions`,
        partitions,
        nowMs: clock.nowMs(),
      });
    }
    await create(missing.filter(({ name }) => name !== 'policies'));
  });
  const problems = await heardOf(created, () => checkTopics(kafka, options), clock);
  return { created, problems, identity: await readTopicIdentity(kafka, topicPrefix) };
}

/** What is wrong with the topics, most dangerous topic first. Nothing is changed. */
export async function checkTopics(kafka: Kafka, options: TopicOptions): Promise<TopicProblem[]> {
  const { topicPrefix, brokers } = options;
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const designs = designsOf(options, 1);
    const topics = designs.map(({ name }) => `${topicPrefix}${name}`);
    const problems = topics.filter((topic) => !existing.has(topic)).map((topic) => missingTopic(topic, options));
    const present = topics.filter((topic) => existing.has(topic));
    if (present.length === 0) return problems;
    const found = await settingsOf(admin, present);
    const { topics: metadata } = await admin.fetchTopicMetadata({ topics: present });
    for (const { name, partitions } of metadata) {
      const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
      const design = designsOf({ ...options, replicationFactor: replicas }, 1).find(
        (one) => `${topicPrefix}${one.name}` === name,
      )!;
      for (const setting of design.settings) {
        const value = found.get(name)?.get(setting.name) ?? 'unknown';
        if (settingHolds(setting, value)) continue;
        const mend = `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --entity-type topics --entity-name ${name} --add-config ${setting.name}=${setting.value}`;
        problems.push({ topic: name, setting: setting.name, found: value, wanted: wantedOf(setting.holds), mend });
      }
    }
    const log = metadata.find(({ name }) => name === `${topicPrefix}actions`);
    if (log !== undefined) {
      const pinned = (await readTopicIdentity(kafka, topicPrefix)).partitions;
      if (pinned !== undefined && pinned !== log.partitions.length) {
        problems.push(recounted(log.name, log.partitions.length, pinned));
      }
    }
    return problems.sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic));
  });
}

function designsOf(options: TopicOptions, partitions: number): TopicDesign[] {
  const design: DesignOptions = {
    partitions,
    replicationFactor: options.replicationFactor,
    retentionMs: options.retentionMs ?? RETENTION_MS,
    sessionLifetimeMs: options.sessionLifetimeMs ?? SESSION_LIFETIME_MS,
  };
  return topicDesigns(design);
}

function topicOf({ name, partitions, settings }: TopicDesign, topicPrefix: string, replicationFactor: number) {
  const configEntries = settings.map((setting) => ({ name: setting.name, value: setting.value }));
  return { topic: `${topicPrefix}${name}`, numPartitions: partitions, replicationFactor, configEntries };
}

async function settingsOf(admin: Admin, topics: string[]): Promise<Map<string, Map<string, string>>> {
  const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));
  const answer = await admin.describeConfigs({ resources, includeSynonyms: false });
  return new Map(
    answer.resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function missingTopic(topic: string, { brokers, topicPrefix }: TopicOptions): TopicProblem {
  const mend = `firebreak init --brokers ${brokers.join(',')} --topic-prefix ${topicPrefix}`;
  return { topic, setting: 'topic', found: 'missing', wanted: 'present', mend };
}

function recounted(topic: string, found: number, pinned: number): TopicProblem {
  return {
    topic,
    setting: 'partitions',
    found: String(found),
    wanted: String(pinned),
    mend: 'no command: sessions now lie in two partitions. `firebreak init` with another --topic-prefix, then move the producers there',
  };
}

function wantedOf(holds: TopicDesign['settings'][number]['holds']): string {
  if (holds === 'anything') return 'anything';
  if ('exactly' in holds) return holds.exactly;
  return 'atMost' in holds ? `at most ${holds.atMost}` : `at least ${holds.atLeast}`;
}

async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

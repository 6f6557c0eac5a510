import type { Admin, Kafka } from 'kafkajs';
import { AclResourceTypes, KafkaJSProtocolError } from './kafkajs.ts';

/** `hidden`: this login may not look; `none`: the brokers have no authorizer, everybody may do everything. */
export type Writers = 'hidden' | 'none' | ReadonlyMap<string, readonly string[]>;

export interface GroupFacts {
  state: string;
  members: number;
  /** Records that the group has not committed yet. */
  lag: number;
}

/** What the cluster tells about itself and one deployment in it. Nothing is changed. */
export class ClusterFacts {
  readonly #admin: Admin;

  private constructor(admin: Admin) {
    this.#admin = admin;
  }

  static async open(kafka: Kafka): Promise<ClusterFacts> {
    const admin = kafka.admin();
    await admin.connect();
    return new ClusterFacts(admin);
  }

  async brokers(): Promise<string[]> {
    const { brokers } = await this.#admin.describeCluster();
    return brokers.map(({ host, port }) => `${host}:${port}`).sort();
  }

  /** Partitions whose replicas are not all in sync, as TOPIC/PARTITION. */
  async outOfSync(topicPrefix: string): Promise<string[]> {
    const topics = (await this.#admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix));
    if (topics.length === 0) return [];
    const { topics: metadata } = await this.#admin.fetchTopicMetadata({ topics });
    return metadata.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ isr, replicas }) => isr.length < replicas.length)
        .map(({ partitionId }) => `${name}/${partitionId}`),
    );
  }

  async partitionCount(topic: string): Promise<number> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  async group(groupId: string, topic: string): Promise<GroupFacts> {
    const { groups } = await this.#admin.describeGroups([groupId]);
    const [found] = groups;
    const ends = await this.#admin.fetchTopicOffsets(topic);
    const [committed] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const lag = ends.reduce((sum, { partition, high, low }) => {
      const offset = Number(committed?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
      return sum + Number(high) - Math.max(offset, Number(low));
    }, 0);
    return { state: found?.state ?? 'Dead', members: found?.members.length ?? 0, lag };
  }

  /** Who may write each topic, by the ACLs that name it; prefixes count for every topic that begins so. */
  async writers(topics: readonly string[]): Promise<Writers> {
    try {
      const { resources } = await this.#admin.describeAcls({
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ANY,
        operation: ANY,
        permissionType: ANY,
      });
      return new Map(
        topics.map((topic) => {
          const naming = resources.filter(({ resourceName, resourcePatternType }) =>
            resourcePatternType === PREFIXED
              ? topic.startsWith(resourceName)
              : resourceName === topic || resourceName === '*',
          );
          const acls = naming.flatMap(({ acls }) => acls);
          const allowed = acls.filter(
            ({ operation, permissionType }) => permissionType === ALLOW && WRITES.includes(operation),
          );
          return [topic, [...new Set(allowed.map(({ principal }) => principal))].sort()];
        }),
      );
    } catch (error) {
      if (!(error instanceof KafkaJSProtocolError)) throw error;
      if (error.type === 'SECURITY_DISABLED') return 'none';
      if (error.type.endsWith('AUTHORIZATION_FAILED')) return 'hidden';
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#admin.disconnect();
  }
}

/** Numbers of the protocol; kafkajs has an enumeration for each, and 1 is ANY in all. */
const ANY = 1;
const PREFIXED = 4;
const ALLOW = 3;
const ALL = 2;
const WRITE = 4;
const WRITES: readonly number[] = [ALL, WRITE];

import type { Admin, ITopicConfig } from 'kafkajs';
import type { Clock } from '../../ports.ts';
import { KafkaJSAggregateError } from './kafkajs.ts';

const LEADERS_WAIT_MS = 30_000;
const LEADERS_POLL_MS = 50;

/** What a broker answers of a topic that the controller has made and that it has not heard of yet. */
const NOT_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Makes topics; fulfilled when each of their partitions has a leader. A topic that another process made meanwhile is no
 * failure. Throws with the reasons of Kafka, and after 30 s without leaders.
 *
 * kafkajs waits for leaders itself, but takes "not heard of yet" for a failure and ends half way.
 */
export async function makeTopics(
  admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'>,
  topics: ITopicConfig[],
  clock: Clock,
): Promise<void> {
  await refused(admin.createTopics({ topics, waitForLeaders: false }));
  const names = topics.map(({ topic }) => topic);
  const startedMs = clock.monotonicMs();
  for (;;) {
    const missing = await leaderless(admin, names);
    if (missing === undefined) return;
    if (clock.monotonicMs() - startedMs >= LEADERS_WAIT_MS) {
      throw new Error(`Kafka made the topics, but after ${LEADERS_WAIT_MS / 1000} s without leaders: ${missing}`);
    }
    await clock.sleep(LEADERS_POLL_MS);
  }
}

/** What there is no leader of yet; undefined when nothing is missing. */
async function leaderless(admin: Pick<Admin, 'fetchTopicMetadata'>, names: string[]): Promise<string | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    const missing = topics.filter(
      ({ partitions }) => partitions.length === 0 || partitions.some(({ leader }) => leader < 0),
    );
    return missing.length === 0 ? undefined : missing.map(({ name }) => name).join(', ');
  } catch (error) {
    if (!(error instanceof Error && 'type' in error && NOT_YET.has(String(error.type)))) throw error;
    return `${names.join(', ')} (${error.message})`;
  }
}

/**
 * What is wrong with the topics, once the broker that is asked has heard of those that were made just now: each client asks
 * another one, and some are behind.
 */
export async function heardOf<P extends { topic: string; found: string }>(
  made: readonly string[],
  check: () => Promise<P[]>,
  clock: Clock,
): Promise<P[]> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const problems = await check();
    const isBehind = problems.some(({ topic, found }) => found === 'missing' && made.includes(topic));
    if (!isBehind || clock.monotonicMs() - startedMs >= LEADERS_WAIT_MS) return problems;
    await clock.sleep(LEADERS_POLL_MS);
  }
}

/** kafkajs hides the reasons in a list: they are told. */
async function refused(creation: Promise<boolean>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof KafkaJSAggregateError)) throw error;
    const reasons = error.errors.map((one) =>
      typeof one === 'string' ? one : `${(one as Error & { topic?: string }).topic ?? 'topic'}: ${one.message}`,
    );
    throw new Error(`Kafka did not make the topics: ${reasons.join('; ')}`, { cause: error });
  }
}

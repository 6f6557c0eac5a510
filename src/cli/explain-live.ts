import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import type { Config } from '../app/config.ts';
import { explainKept, type KeptExplanation } from '../app/explain/kept.ts';
import { sessionOfPublished, TopicLog } from '../app/explain/topic-log.ts';
import { kafkaOf, policyLibraryOf } from '../app/kafka-parts.ts';
import { type KeptSession, readKeptSession } from '../app/kept-session.ts';
import { Policies } from '../app/policies.ts';
import { replayPolicy } from '../app/replay.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import { hint } from '../engine/expression/names.ts';
import type { Plan } from '../engine/plan/policy.ts';
import { Progress } from './progress.ts';
import { configOf } from './settings.ts';

interface LiveOptions extends Record<string, unknown> {
  rules?: string;
}

/** A session or a command. */
export interface Wanted {
  session: string | undefined;
  command: string | undefined;
}

/** Hands on the partition of the session as the topic holds it, and the session. Throws for a command that is not there. */
export async function withTopic<T>(
  options: LiveOptions,
  { session: named, command }: Wanted,
  use: (log: TopicLog, session: string) => Promise<T>,
): Promise<T> {
  const config = configOf(options);
  const kafka = kafkaOf(config, createLogger('error'));
  const { topicPrefix } = config.kafka;
  const client = new PartitionClient(kafka);
  const library = options.rules === undefined ? policyLibraryOf(config, kafka) : undefined;
  const progress = new Progress(process.stderr, systemClock);
  try {
    const { topicId } = await readTopicIdentity(kafka, topicPrefix);
    const session = named ?? (await sessionOrdered(client, `${topicPrefix}commands`, command!));
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      progress.at(done / total, () => `${done.toLocaleString('en')} of ${total.toLocaleString('en')} records`);
    const topic = `${topicPrefix}actions`;
    const log = await TopicLog.open({ client, topic, topicId, library, onProgress }, session);
    const told = await use(log, session);
    progress.done();
    if (log.low > 0) process.stderr.write(`${log.file} begins at ${log.low}: what was before is deleted\n`);
    return told;
  } finally {
    progress.done();
    await Promise.all([client.close(), library?.close()]);
  }
}

async function sessionOrdered(client: PartitionClient, topic: string, command: string): Promise<string> {
  const found = await sessionOfPublished(client, topic, command);
  if ('session' in found) return found.session;
  throw notFound(`command "${command}"`, topic, command, found.known);
}

/** How the session stands by what Redis keeps, against `--rules` or else the policy in force, which Kafka holds. */
export async function keptExplained(session: string, options: LiveOptions): Promise<KeptExplanation> {
  const config = configOf(options);
  const kept = await readKeptSession(config.redis, session);
  const plan =
    options.rules === undefined
      ? await planInForce(config, kept)
      : replayPolicy(await loadPolicyFolder(options.rules)).plan;
  return explainKept(kept.session, plan);
}

async function planInForce(config: Config, { partition, state: { policy } }: KeptSession): Promise<Plan> {
  if (policy === undefined) throw new Error(`no policy holds in partition ${partition} yet; judge by --rules DIR`);
  const library = policyLibraryOf(config, kafkaOf(config, createLogger('error')));
  try {
    return await new Policies(library).plan(policy);
  } finally {
    await library.close();
  }
}

export function notFound(what: string, where: string, name: string, known: readonly string[]): Error {
  const nearest = known.length === 0 ? '; there is none at all' : hint(name, known);
  return new Error(`${what}: not in ${where}${nearest}`);
}

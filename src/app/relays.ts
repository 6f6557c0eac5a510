import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { ActionWriter } from '../adapters/kafka/action-writer.ts';
import { KafkaLogSource } from '../adapters/kafka/log-source.ts';
import { readTopicFacts } from '../adapters/kafka/topic-facts.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { systemClock } from '../adapters/system-clock.ts';
import type { Stats } from '../adapters/telemetry/stats.ts';
import { RELAYED_TOPICS, type RelayedTopic } from '../domain/output.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import type { Keyring } from '../formats/signature.ts';
import type { Assignment, LogSource, Outlet } from '../ports.ts';
import { type Config, regroupIdOf } from './config.ts';
import { controlCopier } from './control-copies.ts';
import { crowdCopier } from './crowd-copies.ts';
import { kafkaOf } from './kafka-parts.ts';
import { Relay } from './relay.ts';

export interface RelaysParts {
  kafka: Kafka;
  outlet: Outlet;
  /** Partitions of the log that is copied to. */
  partitions: number;
  keyring: Keyring;
  stats: Stats;
  logger: Logger;
}

/** Everything that this process copies into its log: acknowledgements, decisions, and where it judges crowds, actions. */
export async function openRelays(
  config: Config,
  parts: RelaysParts,
): Promise<{ relays: Relay[]; close(): Promise<void> }> {
  const said = RELAYED_TOPICS.map((from) => relayOfControls(from, config, parts));
  const { from } = config.regroup;
  if (from === undefined) return { relays: await Promise.all(said), close: async () => {} };
  const writer = await ActionWriter.open(parts.kafka, `${config.kafka.topicPrefix}actions`, systemClock);
  try {
    const relays = await Promise.all([...said, relayOfActions(from, writer, config, parts)]);
    return { relays, close: () => writer.close() };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function relayOfControls(from: RelayedTopic, config: Config, parts: RelaysParts): Promise<Relay> {
  const { topicPrefix } = config.kafka;
  const { open } = await topicOf(topicPrefix, from, `${topicPrefix}relay.${from}`, config, parts);
  const { stats, logger } = parts;
  return new Relay({
    from,
    beginOf: ({ low }) => low,
    open,
    copier: controlCopier({ ...parts, from }),
    stats,
    clock: systemClock,
    logger,
  });
}

/** A policy takes an action that comes so late for what it is; an older one would count as if it had happened now. */
const COPIED_BACK_MS = DEFAULT_SETTINGS.delayMs;

async function relayOfActions(
  prefix: string,
  writer: ActionWriter,
  config: Config,
  parts: RelaysParts,
): Promise<Relay> {
  const groupId = regroupIdOf(config.kafka);
  const { partitions, open } = await topicOf(prefix, 'actions', groupId, config, parts);
  const { stats, logger, keyring } = parts;
  const mustSign = new Set(config.keys.mustSign);
  const beginOf = ({ offsetAt }: Assignment) => offsetAt(systemClock.nowMs() - COPIED_BACK_MS);
  const copier = crowdCopier({ partitions, keyring, mustSign, write: (copies) => writer.write(copies) });
  return new Relay({ from: 'actions', beginOf, open, copier, stats, clock: systemClock, logger });
}

/** A topic to copy, read by a group of its own: processes share its partitions. */
async function topicOf(
  topicPrefix: string,
  name: RelayedTopic | 'actions',
  groupId: string,
  config: Config,
  { kafka, logger }: Pick<RelaysParts, 'kafka' | 'logger'>,
): Promise<{ partitions: number; open(): LogSource }> {
  const { topicId } = await readTopicIdentity(kafka, topicPrefix, name);
  const topic = `${topicPrefix}${name}`;
  const { partitions } = await readTopicFacts(kafka, topic);
  const place = { groupId, topic, topicId, partitions };
  // Each with a client of its own: kafkajs keeps the offsets of a group in the client.
  const open = () => new KafkaLogSource({ ...place, kafka: kafkaOf(config, logger), clock: systemClock, logger });
  return { partitions, open };
}

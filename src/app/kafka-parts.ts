import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { createKafka } from '../adapters/kafka/client.ts';
import { KafkaOutlet } from '../adapters/kafka/outlet.ts';
import { KafkaPolicyLibrary } from '../adapters/kafka/policy-library.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { ENGINE_VERSION } from '../engine/plan/policy.ts';
import type { SigningKey } from '../formats/signature.ts';
import { type Config, groupIdOf } from './config.ts';

/** A pause or resume that waited longer for its enforcer is about a session that has moved on. */
const COMMAND_EXPIRY_MS = 15 * 60_000;

export function kafkaOf({ kafka }: Config, logger: Logger): Kafka {
  const { brokers, clientId, tls, sasl } = kafka;
  const { enabled, ...files } = tls;
  return createKafka({
    brokers,
    clientId,
    logger,
    ...(enabled ? { tls: files } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  });
}

export function policyLibraryOf({ kafka: { topicPrefix } }: Config, kafka: Kafka): KafkaPolicyLibrary {
  return new KafkaPolicyLibrary({
    kafka,
    topic: policyTopicOf(topicPrefix),
    engine: ENGINE_VERSION,
    clock: systemClock,
  });
}

/** The topic of the policy bodies, and of who activated which. */
export function policyTopicOf(topicPrefix: string): string {
  return `${topicPrefix}policies`;
}

export interface Speaker {
  kafka: Kafka;
  logger: Logger;
  signingKey: SigningKey;
  onMinimalForm(): void;
}

export function outletOf({ kafka: settings }: Config, speaker: Speaker): KafkaOutlet {
  return new KafkaOutlet({
    ...speaker,
    topicPrefix: settings.topicPrefix,
    source: `/firebreak/${groupIdOf(settings)}`,
    expireAfterMs: COMMAND_EXPIRY_MS,
    clock: systemClock,
  });
}

import type { Logger } from 'pino';
import { ClusterFacts } from '../../adapters/kafka/cluster-facts.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Config } from '../config.ts';
import { kafkaOf } from '../kafka-parts.ts';
import { loadKeyFile } from '../keys.ts';
import { type Check, messageOf, ok, problem } from './check.ts';
import { checkKafka } from './kafka-checks.ts';
import { checkPolicy } from './policy-checks.ts';
import { checkRedis } from './redis-checks.ts';

/** Looks at everything that a deployment rests on, and changes nothing. What cannot be looked at hides nothing else. */
export async function examine(config: Config, logger: Logger): Promise<Check[]> {
  const [keys, redis, kafka] = await Promise.all([
    checkKeys(config),
    checkRedis(config.redis, systemClock),
    checkCluster(config, logger),
  ]);
  return [...keys, ...kafka, ...redis];
}

async function checkKeys({ keys: { file } }: Config): Promise<Check[]> {
  try {
    const { signing } = await loadKeyFile(file);
    return [ok('keys', `${file}: signs as ${signing.kid}`)];
  } catch (error) {
    return [problem('keys', messageOf(error), `firebreak keys make ${file} --roles owner, or --keys FILE`)];
  }
}

async function checkCluster(config: Config, logger: Logger): Promise<Check[]> {
  const kafka = kafkaOf(config, logger);
  let facts: ClusterFacts;
  try {
    facts = await ClusterFacts.open(kafka);
  } catch (error) {
    const { brokers } = config.kafka;
    return [
      problem(
        'Kafka',
        `${brokers.join(', ')}: ${messageOf(error)}`,
        'start the brokers, or give others with --brokers; kafka.tls and kafka.sasl say how to log in',
      ),
    ];
  }
  try {
    const checks = await checkKafka(kafka, facts, config, systemClock);
    if (checks.some(({ about, found }) => about.endsWith('policies') && found === 'is missing')) return checks;
    return [...checks, ...(await checkPolicy(kafka, config, systemClock))];
  } catch (error) {
    return [problem('Kafka', messageOf(error), 'give this login the rights in deploy/SECURITY.md')];
  } finally {
    await facts.close();
  }
}

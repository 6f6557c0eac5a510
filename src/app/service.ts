import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { serveHealth } from '../adapters/http/health.ts';
import { ActivationHistory } from '../adapters/kafka/activation-history.ts';
import { KafkaLogSource } from '../adapters/kafka/log-source.ts';
import { readTopicFacts } from '../adapters/kafka/topic-facts.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { checkTopics, type TopicProblem } from '../adapters/kafka/topics.ts';
import { VerdictReader } from '../adapters/kafka/verdict-reader.ts';
import { connectRedis } from '../adapters/redis/connection.ts';
import { RedisStateStore } from '../adapters/redis/state-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { metricsOf } from '../adapters/telemetry/metrics.ts';
import { exportTraces } from '../adapters/telemetry/otlp.ts';
import { Stats } from '../adapters/telemetry/stats.ts';
import { ENGINE_VERSION } from '../engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../engine/session/codec.ts';
import { Analyzer } from './analyzer.ts';
import { type Config, groupIdOf } from './config.ts';
import { FolderPolicy } from './folder-policy.ts';
import { kafkaOf, outletOf, policyLibraryOf, policyTopicOf } from './kafka-parts.ts';
import { loadKeyFile, signersOf } from './keys.ts';
import type { PartitionWorker } from './partition-worker.ts';
import { Policies } from './policies.ts';
import { notReady } from './readiness.ts';
import { openRelays } from './relays.ts';

export interface Service {
  /** Port of /metrics, /livez and /readyz. */
  readonly httpPort: number;
  /** Fulfilled after `stop`, rejected when the process cannot go on and must exit. */
  readonly ended: Promise<void>;
  /** Drains, saves, leaves the group. */
  stop(): Promise<void>;
}

const MIB = 1024 * 1024;

/** The log or its settings are not fit to run on. The message lists every reason with the command that mends it. */
export class UnfitTopics extends Error {
  override readonly name = 'UnfitTopics';

  constructor(problems: readonly TopicProblem[]) {
    const lines = problems.map(
      ({ topic, setting, found, wanted, mend }) => `  ${topic}: ${setting} is ${found}, must be ${wanted}\n    ${mend}`,
    );
    super(`the topics are not fit to run on:\n${lines.join('\n')}`);
  }
}

/** Starts everything, or nothing: what was opened is closed again when a later part fails. `version` is that of the package. */
export async function startService(config: Config, logger: Logger, version: string): Promise<Service> {
  const cleanups: (() => Promise<void> | void)[] = [];
  const cleanUp = async () => {
    for (const close of cleanups.splice(0).reverse()) await close();
  };
  try {
    return await start(config, logger, version, cleanups, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function start(
  config: Config,
  logger: Logger,
  version: string,
  cleanups: (() => Promise<void> | void)[],
  cleanUp: () => Promise<void>,
): Promise<Service> {
  const clock = systemClock;
  const keys = await loadKeyFile(config.keys.file);
  const { topicPrefix, brokers } = config.kafka;
  const groupId = groupIdOf(config.kafka);
  const topic = `${topicPrefix}actions`;
  const kafka = kafkaOf(config, logger);
  await refuseUnfit(kafka, config, logger);
  const { partitions, retentionMs } = await readTopicFacts(kafka, topic);
  const { topicId } = await readTopicIdentity(kafka, topicPrefix);

  const stats = new Stats();
  if (config.tracing.endpoint !== undefined) cleanups.push(exportTraces(config.tracing.endpoint, version));
  stats.build = { version, engine: String(ENGINE_VERSION), node: process.version };
  const redis = await connectRedis(config.redis, (err) => logger.warn({ err }, 'Redis connection'));
  const store = new RedisStateStore(redis, { prefix: config.redis.keyPrefix, headerBytes: SESSION_HEADER_BYTES });
  cleanups.push(() => store.close());
  const onMinimalForm = () => {
    stats.minimalForms++;
  };
  const outlet = outletOf(config, { kafka, logger, signingKey: keys.signing, onMinimalForm });
  cleanups.push(() => outlet.close());
  const library = policyLibraryOf(config, kafka);
  cleanups.push(() => library.close());
  const history = new ActivationHistory(kafka, policyTopicOf(topicPrefix));
  const verdicts = new VerdictReader(kafka, `${topicPrefix}verdicts`, logger);
  cleanups.push(() => verdicts.close());

  const { rules, reloadIntervalMs } = config.policy;
  const activation = { library, outlet, history, clock, partitions };
  const folder =
    rules === undefined
      ? undefined
      : await FolderPolicy.open(rules, {
          ...activation,
          stats,
          logger,
          reloadIntervalMs,
          signers: signersOf(config, keys),
        });

  // A client of its own: kafkajs keeps the offsets of a group in the client.
  const source = new KafkaLogSource({
    kafka: kafkaOf(config, logger),
    groupId,
    topic,
    topicId,
    partitions,
    clock,
    logger,
  });
  let failed: (error: Error) => void = () => {};
  const fatal = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const analyzer = new Analyzer({
    topic,
    source,
    store,
    outlet,
    stats,
    clock,
    logger,
    retentionMs,
    policies: new Policies(library),
    keyring: keys.keyring,
    // Copies are this service's own, and their originals were held to it.
    mustSign: new Set(config.regroup.from === undefined ? config.keys.mustSign : []),
    sessionBytesMax: config.memory.sessionsMib * MIB,
    checkpointIntervalMs: config.checkpoint.intervalMs,
    probeIntervalMs: config.probe.intervalMs,
    leaseIntervalMs: config.lease.intervalMs,
    verdictsOf: (partition) => verdicts.of(partition, partitions),
    onFatal: failed,
    onCaughtUp: async (worker: PartitionWorker) => {
      if (worker.assignment.partition === 0) await folder?.offerTo(worker);
    },
  });
  const health = await serveHealth({
    ...config.http,
    metrics: metricsOf(stats, clock),
    openMetrics: metricsOf(stats, clock, 'openmetrics'),
    notReady: () => notReady(stats, clock.monotonicMs()),
  });
  cleanups.push(() => health.close());
  const { relays, close } = await openRelays(config, {
    kafka,
    outlet,
    partitions,
    stats,
    logger,
    keyring: keys.keyring,
  });
  cleanups.push(close);
  const stopped = new AbortController();
  const looking = folder?.run(stopped.signal);
  analyzer.start();
  const relayed = relays.map((relay) => relay.run());
  const ended = Promise.race([source.run(analyzer), fatal]);
  logger.info({ topic, topicId, partitions, groupId, brokers, httpPort: health.port }, 'firebreak runs');

  const stop = async () => {
    stopped.abort();
    await looking;
    await Promise.all([...relays.map((relay) => relay.stop()), ...relayed]);
    await analyzer.stop();
    await source.stop();
    await analyzer.saveAll();
    await cleanUp();
  };
  return { httpPort: health.port, ended, stop };
}

async function refuseUnfit(
  kafka: Kafka,
  { kafka: { topicPrefix, brokers, allowUnsafeTopic } }: Config,
  logger: Logger,
): Promise<void> {
  const problems = await checkTopics(kafka, { topicPrefix, brokers, replicationFactor: 1 });
  const fatal = allowUnsafeTopic
    ? problems.filter(({ setting }) => setting === 'topic' || setting === 'partitions')
    : problems;
  if (fatal.length > 0) throw new UnfitTopics(fatal);
  for (const problem of problems) logger.error(problem, 'unsafe topic, allowed by --allow-unsafe-topic');
}

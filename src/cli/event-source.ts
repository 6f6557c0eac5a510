import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { FileSource } from '../app/backtest/file-source.ts';
import { KafkaSource } from '../app/backtest/kafka-source.ts';
import type { EventSource, ResumableSource } from '../app/backtest/source.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { instant } from './capture.ts';
import { configOf } from './settings.ts';

/** What a verb that reads a past log is asked for besides files. */
export interface SourceOptions extends Record<string, unknown> {
  kafka?: true;
  since?: number;
  until?: number;
}

/** The arguments by which a verb is told where its events come from; the configuration names brokers and topic. */
export function sourceOptions(command: Command): Command {
  return command
    .argument('[file...]', 'NDJSON, plain or gzip: bare events, or what `firebreak capture` wrote; - is standard input')
    .option('--kafka', 'instead of files: the topic of actions, as the configuration names it')
    .option('--since <time>', 'with --kafka: records of this time on (RFC 3339)', (text) => instant('--since', text))
    .option('--until <time>', 'with --kafka: records before this time (RFC 3339)', (text) => instant('--until', text));
}

export interface OpenSource {
  source: EventSource & ResumableSource;
  /** What is read, for a run that is to go on where another one was: equal ones are the same files or topic. */
  identity: unknown;
  close(): Promise<void>;
}

/** Throws where files and --kafka are mixed or both missing, and where there is nothing to read. */
export async function openSource(
  files: readonly string[],
  delayMs: number,
  options: SourceOptions,
): Promise<OpenSource> {
  const { kafka: fromKafka, since: sinceMs, until: untilMs } = options;
  if (files.length > 0 === (fromKafka === true)) throw new Error('give files, or --kafka for the topic of actions');
  if (fromKafka === undefined) {
    if (sinceMs !== undefined || untilMs !== undefined) throw new Error('--since and --until go with --kafka');
    const identity = files.map((file) => resolve(file));
    return { source: await FileSource.open(files, delayMs), identity, close: async () => {} };
  }
  const config = configOf(options);
  const { topicPrefix } = config.kafka;
  const kafka = kafkaOf(config, createLogger('error'));
  const client = new PartitionClient(kafka);
  try {
    const topic = `${topicPrefix}actions`;
    const source = await KafkaSource.open(client, topic, { sinceMs, untilMs });
    const { topicId } = await readTopicIdentity(kafka, topicPrefix);
    const identity = { topic, topicId, sinceMs: sinceMs ?? null, untilMs: untilMs ?? null };
    return { source, identity, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

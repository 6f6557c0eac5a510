import type { Command } from 'commander';
import { NdjsonWriter } from '../adapters/files/ndjson-writer.ts';
import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { inOrderOfTime, rangesBetween } from '../adapters/kafka/range-reader.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { chunksOf } from '../adapters/policy-body.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { kafkaOf, policyLibraryOf } from '../app/kafka-parts.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import { policyNamedBy, type RawRecord } from '../domain/record.ts';
import { decodeRecord } from '../formats/log-record.ts';
import { encodeRecordedLine, encodeRecordedPolicy } from '../formats/recorded-line.ts';
import type { PolicyLibrary } from '../ports.ts';
import { Progress } from './progress.ts';
import { configOf, configOptions } from './settings.ts';

export function registerCapture(program: Command): void {
  const capture = program
    .command('capture')
    .description('write the log to a file that replays to the same commands')
    .requiredOption('--out <file>', 'NDJSON, gzip where the name ends in .gz; - is standard output')
    .option('--since <time>', 'from the records of this time on (RFC 3339); else all that the log holds', (text) =>
      instant('--since', text),
    )
    .addHelpText(
      'after',
      '\nThe file holds the records as they are, with the policies they name. From --since on it begins with what' +
        '\nthe sessions had done before unseen, so only a whole log replays to exactly the same commands.' +
        '\n\nExample:\n  firebreak capture --out run.ndjson.gz --brokers localhost:9092 && firebreak replay run.ndjson.gz',
    );
  configOptions(capture, (path) => path.startsWith('kafka.')).action(run);
}

interface Options extends Record<string, unknown> {
  out: string;
  since?: number;
}

async function run(options: Options): Promise<void> {
  const config = configOf(options);
  const kafka = kafkaOf(config, createLogger('error'));
  const { topicPrefix } = config.kafka;
  const topic = `${topicPrefix}actions`;
  const library = policyLibraryOf(config, kafka);
  const client = new PartitionClient(kafka);
  const writer = await NdjsonWriter.open(options.out);
  const progress = new Progress(process.stderr, systemClock);
  try {
    const { topicId } = await readTopicIdentity(kafka, topicPrefix);
    const ranges = await rangesBetween(client, topic, options.since, undefined);
    const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    const known = new Set<string>();
    let count = 0;
    for await (const { partition, record } of inOrderOfTime(client, topic, ranges)) {
      for (const line of await policyLines(record, library, known)) await writer.write(line);
      await writer.write(encodeRecordedLine(topicId, partition, record));
      count++;
      progress.at(count / total, () => `${count} of ${total} records, ${formatInstant(record.appendMs)}`);
    }
    progress.done();
    process.stderr.write(
      `${count} records of ${ranges.length} partitions and ${known.size} policies: ${options.out}\n`,
    );
  } finally {
    await writer.close();
    await Promise.all([client.close(), library.close()]);
  }
}

/** The body of a policy, before the first record that names it. */
async function policyLines(record: RawRecord, library: PolicyLibrary, known: Set<string>): Promise<string[]> {
  const policy = policyNamedBy(decodeRecord(record, undefined).body);
  if (policy === undefined || known.has(policy.hash)) return [];
  known.add(policy.hash);
  return encodeRecordedPolicy(policy.hash, chunksOf(await library.get(policy)));
}

/** Reads the time that an option gives. */
export function instant(option: string, text: string): number {
  const atMs = parseInstant(text);
  if (Number.isNaN(atMs)) throw new Error(`${option}: found "${text}"; allowed: a time such as 2026-11-23T10:15:30Z`);
  return atMs;
}

import type { Command } from 'commander';
import { NdjsonWriter } from '../adapters/files/ndjson-writer.ts';
import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { type Range, type RangeRecord, readRanges, wholeTopic } from '../adapters/kafka/range-reader.ts';
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
    .option('--since <time>', 'from the records of this time on (RFC 3339); else all that the log holds', instant)
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
    const ranges = await rangesSince(client, topic, options.since);
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

async function rangesSince(client: PartitionClient, topic: string, sinceMs: number | undefined): Promise<Range[]> {
  const ranges = await wholeTopic(client, topic);
  if (sinceMs === undefined) return ranges;
  const later: Range[] = [];
  for (const range of ranges) {
    const from = await client.offsetAt(topic, range.partition, sinceMs);
    later.push({ ...range, from: Math.max(range.from, from) });
  }
  return later;
}

/** All partitions merged by append time: a replay that takes its time shows what happened together, together. */
async function* inOrderOfTime(
  client: PartitionClient,
  topic: string,
  ranges: readonly Range[],
): AsyncGenerator<RangeRecord> {
  const readers = ranges.map((range) => readRanges(client, topic, [range]));
  // One after the other: the client's cluster opens a connection for each caller that comes before the first is open.
  const heads: IteratorResult<RangeRecord, void>[] = [];
  for (const reader of readers) heads.push(await reader.next());
  for (;;) {
    let earliest = -1;
    for (const [i, head] of heads.entries()) {
      if (head.done === true) continue;
      const best = heads[earliest];
      if (best === undefined || best.done === true || head.value.record.appendMs < best.value.record.appendMs)
        earliest = i;
    }
    const head = heads[earliest];
    if (head === undefined || head.done === true) return;
    yield head.value;
    heads[earliest] = await readers[earliest]!.next();
  }
}

/** The body of a policy, before the first record that names it. */
async function policyLines(record: RawRecord, library: PolicyLibrary, known: Set<string>): Promise<string[]> {
  const policy = policyNamedBy(decodeRecord(record, undefined).body);
  if (policy === undefined || known.has(policy.hash)) return [];
  known.add(policy.hash);
  return encodeRecordedPolicy(policy.hash, chunksOf(await library.get(policy)));
}

function instant(text: string): number {
  const atMs = parseInstant(text);
  if (Number.isNaN(atMs)) throw new Error(`--since: found "${text}"; allowed: a time such as 2026-11-23T10:15:30Z`);
  return atMs;
}

import type { Command } from 'commander';
import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { readTopicIdentity } from '../adapters/kafka/topic-identity.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { SessionTrailReader } from '../app/audit/session-trail.ts';
import { linesOf, type Placed, recordsOf } from '../app/audit/sources.ts';
import { Trail } from '../app/audit/trail.ts';
import { TopicLog } from '../app/explain/topic-log.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { openRecording, type RecordedLog } from '../app/recording.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import { sessionTrailText, verifiedText } from './audit-text.ts';
import { configOf, configOptions } from './settings.ts';
import { terminalWidth } from './terminal.ts';

interface Options extends Record<string, unknown> {
  from?: string;
  commands?: string;
  findings?: string;
  actions?: string[];
  json?: true;
}

const isKafka = (path: string) => path.startsWith('kafka.');

export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('the trail of what was decided, by whom, and on which view');
  const verifying = audit
    .command('verify')
    .description('whether the trail is whole, and commands and requests are what it says of them')
    .option('--from <file>', 'the entries, one JSON per line; default: the topics, as the configuration names them')
    .option('--commands <file>', 'with --from: commands to compare, one JSON per line')
    .option('--findings <file>', 'with --from: findings to compare, one JSON per line')
    .addHelpText(
      'after',
      '\nThe first entry that was changed, that is missing or that does not follow the one before it is named.' +
        '\n\nExit code: 0 when the trail is whole, 1 when it is not or cannot be read.' +
        '\n\nExamples:' +
        '\n  firebreak audit verify --brokers localhost:9092' +
        '\n  firebreak replay events.ndjson --audit audit.ndjson && firebreak audit verify --from audit.ndjson',
    );
  configOptions(verifying, isKafka).action(verify);
  const showing = audit
    .command('show')
    .description('who asked for what, what the session tried and got, and what people decided on which view')
    .argument('<session>', 'its id')
    .option('--from <file>', 'the entries, one JSON per line; default: the topics, as the configuration names them')
    .option('--actions <file...>', 'with --from: recordings that hold what the session did')
    .option('--json', 'the same for a program')
    .addHelpText('after', '\nExample:\n  firebreak audit show conv-8842 --brokers localhost:9092');
  configOptions(showing, isKafka).action(show);
}

async function verify(options: Options): Promise<void> {
  const { from, commands, findings } = options;
  if (from === undefined && (commands ?? findings) !== undefined)
    throw new Error('--commands and --findings go with --from');
  const trail = new Trail();
  if (from !== undefined) {
    await all(linesOf(from), ({ place, bytes }) => trail.take(place, bytes));
    if (commands !== undefined) await all(linesOf(commands), ({ place, bytes }) => trail.takeCommand(place, bytes));
    if (findings !== undefined) await all(linesOf(findings), ({ place, bytes }) => trail.takeFinding(place, bytes));
  } else {
    const config = configOf(options);
    const { topicPrefix } = config.kafka;
    await withClient(options, async (client) => {
      // The trail last: what is published meanwhile is in it by then, and not the other way round.
      const published = [
        await collected(recordsOf(client, `${topicPrefix}commands`)),
        await collected(recordsOf(client, `${topicPrefix}findings`)),
      ] as const;
      await all(recordsOf(client, `${topicPrefix}audit`), ({ place, bytes }) => trail.take(place, bytes));
      for (const { place, bytes } of published[0]) trail.takeCommand(place, bytes);
      for (const { place, bytes } of published[1]) trail.takeFinding(place, bytes);
    });
  }
  process.stdout.write(verifiedText(trail));
  if (trail.faults.length > 0) process.exitCode = 1;
}

async function show(session: string, options: Options): Promise<void> {
  const { from, actions = [], json } = options;
  if (from === undefined && actions.length > 0) throw new Error('--actions goes with --from');
  const reader = new SessionTrailReader(session);
  // Whether an entry was changed is what `verify` is for; here it is shown as it is.
  const read = new Trail();
  const take = ({ place, bytes }: Placed) => {
    const entry = read.take(place, bytes);
    if (entry !== undefined) reader.entry(entry);
  };
  if (from !== undefined) {
    await all(linesOf(from), take);
    for (const file of actions) await withRecording(file, (log) => actionsOf(log, reader));
  } else {
    const { topicPrefix } = configOf(options).kafka;
    await withClient(options, async (client, topicId) => {
      await all(recordsOf(client, `${topicPrefix}audit`), take);
      const topic = `${topicPrefix}actions`;
      await actionsOf(await TopicLog.open({ client, topic, topicId, library: undefined }, session), reader);
    });
  }
  const { trail } = reader;
  process.stdout.write(json ? `${JSON.stringify(trail, null, 2)}\n` : sessionTrailText(trail, terminalWidth()));
}

async function withClient(
  options: Options,
  use: (client: PartitionClient, topicId: string) => Promise<void>,
): Promise<void> {
  const config = configOf(options);
  const kafka = kafkaOf(config, createLogger('error'));
  const client = new PartitionClient(kafka);
  try {
    const { topicId } = await readTopicIdentity(kafka, config.kafka.topicPrefix);
    await use(client, topicId);
  } finally {
    await client.close();
  }
}

async function withRecording(file: string, use: (log: RecordedLog) => Promise<void>): Promise<void> {
  const recording = await openRecording(file, DEFAULT_SETTINGS.delayMs);
  try {
    await use(recording);
  } finally {
    await recording.close();
  }
}

async function actionsOf(log: RecordedLog, reader: SessionTrailReader): Promise<void> {
  for await (const item of log.items()) {
    if (item.type === 'record' && item.record.body.type === 'action') reader.action(item.record.body.event);
  }
}

async function all(records: AsyncIterable<Placed>, take: (record: Placed) => unknown): Promise<void> {
  for await (const record of records) take(record);
}

async function collected(records: AsyncIterable<Placed>): Promise<Placed[]> {
  const found: Placed[] = [];
  await all(records, (record) => found.push(record));
  return found;
}

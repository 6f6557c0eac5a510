import type { Command } from 'commander';
import { TopicFollower } from '../adapters/kafka/topic-follower.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { SessionBoard, type SessionView } from '../app/session-board.ts';
import { jsonOf } from '../app/session-history.ts';
import { Finding } from '../domain/finding.ts';
import { Verdict } from '../domain/output.ts';
import { sessionLines } from './request-text.ts';
import { configOf, configOptions } from './settings.ts';
import { SINCE_DEFAULT_MS, sinceOption } from './since.ts';
import { terminalWidth } from './terminal.ts';

interface Options extends Record<string, unknown> {
  since: number;
  all?: true;
  json?: true;
}

export function registerSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('the sessions that are paused or killed, those that wait for a person first')
    .option('--all', 'also those that are only watched')
    .option('--since <duration>', 'how far back findings are read; default 24h', sinceOption, SINCE_DEFAULT_MS)
    .option('--json', 'the same for a program: one session per line, requests whole')
    .addHelpText(
      'after',
      '\nA question mark behind the level: it waits for an answer. A line that begins its last column with ! is one where' +
        '\nthe enforcement is in doubt.' +
        '\n\nThen: firebreak show SESSION, and firebreak release SESSION or firebreak reject SESSION.',
    );
  configOptions(sessions, (path) => path.startsWith('kafka.')).action(run);
}

async function run(options: Options): Promise<void> {
  const { all, json, since } = options;
  const views = (await readBoard(options, since)).filter(
    ({ level }) => all || level === 'paused' || level === 'killed',
  );
  if (json) {
    for (const view of views) process.stdout.write(`${JSON.stringify(view)}\n`);
  } else if (views.length === 0) {
    process.stdout.write('No session is paused or killed.\n');
  } else {
    process.stdout.write(`${sessionLines(views, systemClock.nowMs(), terminalWidth()).join('\n')}\n`);
  }
}

async function readBoard(options: Options, sinceMs: number): Promise<SessionView[]> {
  const config = configOf(options);
  const { topicPrefix } = config.kafka;
  const logger = createLogger('error');
  const board = new SessionBoard();
  const verdicts = `${topicPrefix}verdicts`;
  const follower = new TopicFollower({
    kafka: kafkaOf(config, logger),
    topics: [
      { topic: verdicts, from: 'beginning' },
      { topic: `${topicPrefix}findings`, from: { sinceMs: systemClock.nowMs() - sinceMs } },
    ],
    clock: systemClock,
    logger,
    onRecord(topic, _partition, record) {
      if (topic === verdicts) {
        const verdict = jsonOf(Verdict, record);
        if (verdict !== undefined) board.verdict(verdict);
      } else {
        const finding = jsonOf(Finding, record);
        if (finding !== undefined) board.finding(finding);
      }
    },
  });
  try {
    await follower.start();
  } finally {
    await follower.stop();
  }
  return board.all();
}

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { evidenceCourse } from '../app/explain/evidence-course.ts';
import { explainStory } from '../app/explain/explanation.ts';
import { type Story, sessionOfCommand, storyOf } from '../app/explain/story.ts';
import { openRecording, type RecordedLog, type Recording } from '../app/recording.ts';
import { type ReplayOptions, replayPolicy } from '../app/replay.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import { keptText } from './explain-kept-text.ts';
import { keptExplained, notFound, withTopic } from './explain-live.ts';
import { explainPage } from './explain-page.ts';
import { explainText } from './explain-text.ts';
import { configOptions } from './settings.ts';
import { packageVersion, SHIPPED_RULES } from './shipped.ts';
import { terminalWidth } from './terminal.ts';

interface Options extends Record<string, unknown> {
  from?: string[];
  kept?: true;
  command?: string;
  rules?: string;
  json?: true;
  html?: string;
}

export function registerExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a session was stopped, and what would have had to be different for it not to be')
    .argument('[session]', 'its id; or --command')
    .option('--from <file...>', 'recordings that hold it: bare events, or what `firebreak capture` wrote')
    .option('--kept', 'what Redis keeps of it now, instead of all that the log holds')
    .option('--command <id>', 'the session that this command stops')
    .option('--rules <dir>', 'rules to judge by; default: those in force at the time, for bare events those that ship')
    .option('--json', 'the same for a program')
    .option('--html <file>', 'write it there with pictures as well: one file, nothing from the network')
    .addHelpText(
      'after',
      '\nWithout --from it reads the topic of actions, as the configuration names it: the partition of the session is' +
        '\njudged again with the engine of the service. What would have been different was tried by judging the session' +
        '\nonce more with another threshold, or without some of its steps.' +
        '\n--kept is quick, and knows less: how the session stands, not what would have spared it.' +
        '\n\nExit code: 0 when the session was explained, 1 when it is not there or what holds it cannot be used.' +
        '\n\nExamples:' +
        '\n  firebreak explain conv-8842 --brokers localhost:9092' +
        '\n  firebreak explain --command cmd-1f3a… --brokers localhost:9092' +
        '\n  firebreak explain conv-8842 --kept --redis redis://localhost:6379 --rules my-rules' +
        '\n  firebreak explain conv-8842 --from events.ndjson --rules my-rules',
    );
  configOptions(command, (path) => path.startsWith('kafka.') || path.startsWith('redis.')).action(explain);
}

async function explain(named: string | undefined, options: Options): Promise<void> {
  const { from, kept, command, json, html } = options;
  if ((named === undefined) === (command === undefined)) {
    throw new Error('name what to explain: a session, or a command with --command ID, not both');
  }
  if (kept && (from !== undefined || named === undefined)) {
    throw new Error('--kept goes with a session, and without --from');
  }
  if (kept && html !== undefined) throw new Error('--html shows the steps, and --kept reads none; leave one out');
  if (!kept && options['redis'] !== undefined) throw new Error('--redis goes with --kept');
  if (kept) {
    const explanation = await keptExplained(named!, options);
    process.stdout.write(json ? jsonOf(explanation) : keptText(explanation, terminalWidth()));
    return;
  }
  const body = await loadPolicyFolder(options.rules ?? SHIPPED_RULES);
  const how: ReplayOptions = {
    policy: replayPolicy(body),
    capturedBy: options.rules === undefined ? 'recorded' : 'given',
    end: 'closed',
  };
  const story = await (from === undefined
    ? withTopic(options, { session: named, command }, (log, session) => found(session, [log], how))
    : withRecordings(from, body.settings.delayMs, async (recordings) =>
        found(named ?? (await sessionNamedBy(command!, recordings, how)), recordings, how),
      ));
  const told = explainStory(story);
  if (html !== undefined) await writeFile(html, explainPage(told, evidenceCourse(story), packageVersion()));
  process.stdout.write(json ? jsonOf(told) : explainText(told, terminalWidth()));
}

async function withRecordings<T>(
  files: readonly string[],
  delayMs: number,
  use: (recordings: Recording[]) => Promise<T>,
): Promise<T> {
  const recordings: Recording[] = [];
  try {
    for (const file of files) recordings.push(await openRecording(file, delayMs));
    return await use(recordings);
  } finally {
    for (const recording of recordings) await recording.close();
  }
}

async function found(session: string, logs: readonly RecordedLog[], how: ReplayOptions): Promise<Story> {
  const told = await storyOf(logs, how, session);
  if ('story' in told) return told.story;
  throw notFound(`session "${session}"`, logs.map(({ file }) => file).join(', '), session, told.known);
}

async function sessionNamedBy(command: string, recordings: Recording[], how: ReplayOptions): Promise<string> {
  const named = await sessionOfCommand(recordings, how, command);
  if ('session' in named) return named.session;
  const files = recordings.map(({ file }) => file).join(', ');
  throw notFound(`command "${command}"`, `${files}, judged by these rules`, command, named.known);
}

function jsonOf(explanation: object): string {
  return `${JSON.stringify(explanation, null, 2)}\n`;
}

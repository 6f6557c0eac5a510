import type { Command } from 'commander';
import { explainStory } from '../app/explain/explanation.ts';
import { sessionOfCommand, storyOf } from '../app/explain/story.ts';
import { openRecording, type Recording } from '../app/recording.ts';
import { type ReplayOptions, replayPolicy } from '../app/replay.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import { hint } from '../engine/expression/names.ts';
import { explainText } from './explain-text.ts';
import { SHIPPED_RULES } from './shipped.ts';

interface Options {
  from: string[];
  command?: string;
  rules?: string;
  json?: true;
}

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('why a session was stopped, and what would have had to be different for it not to be')
    .argument('[session]', 'its id; or --command')
    .requiredOption('--from <file...>', 'recordings that hold it: bare events, or what `firebreak capture` wrote')
    .option('--command <id>', 'the session that this command stops')
    .option(
      '--rules <dir>',
      'rules to judge by; default: the rules that ship, and for captured files the recorded ones',
    )
    .option('--json', 'the same for a program')
    .addHelpText(
      'after',
      '\nThe recording is judged again with the engine of the service. What would have been different was tried by' +
        '\njudging the session once more with another threshold, or without some of its steps.' +
        '\n\nExit code: 0 when the session was explained, 1 when it is not there or the files cannot be used.' +
        '\n\nExamples:' +
        '\n  firebreak explain conv-8842 --from events.ndjson --rules my-rules' +
        '\n  firebreak capture --out run.ndjson.gz && firebreak explain --command cmd-1f3a… --from run.ndjson.gz',
    )
    .action(explain);
}

async function explain(named: string | undefined, options: Options): Promise<void> {
  const { from, command, json } = options;
  if ((named === undefined) === (command === undefined)) {
    throw new Error('name what to explain: a session, or a command with --command ID, not both');
  }
  const body = await loadPolicyFolder(options.rules ?? SHIPPED_RULES);
  const how: ReplayOptions = {
    policy: replayPolicy(body),
    capturedBy: options.rules === undefined ? 'recorded' : 'given',
    end: 'open',
  };
  const recordings: Recording[] = [];
  try {
    for (const file of from) recordings.push(await openRecording(file, body.settings.delayMs));
    const session = named ?? (await sessionNamedBy(command!, recordings, how));
    const told = await storyOf(recordings, how, session);
    if ('known' in told) throw notFound(`session "${session}"`, from, session, told.known);
    const explanation = explainStory(told.story);
    process.stdout.write(json ? `${JSON.stringify(explanation, null, 2)}\n` : explainText(explanation));
  } finally {
    for (const recording of recordings) await recording.close();
  }
}

async function sessionNamedBy(command: string, recordings: Recording[], how: ReplayOptions): Promise<string> {
  const found = await sessionOfCommand(recordings, how, command);
  if ('session' in found) return found.session;
  const files = recordings.map(({ file }) => file);
  throw notFound(`command "${command}"`, files, command, found.known);
}

function notFound(what: string, files: readonly string[], name: string, known: readonly string[]): Error {
  const nearest = known.length === 0 ? '; they hold none at all' : hint(name, known);
  return new Error(`${what}: not in ${files.join(', ')}, judged by these rules${nearest}`);
}

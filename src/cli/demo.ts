import type { Command } from 'commander';
import type { Colors } from 'picocolors/types.js';
import { systemClock } from '../adapters/system-clock.ts';
import { Pace } from '../app/pace.ts';
import { openRecording } from '../app/recording.ts';
import { replay, replayPolicy } from '../app/replay.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { Board } from './demo-board.ts';
import { demoLive } from './demo-live.ts';
import { Picture } from './demo-picture.ts';
import { demoSummary } from './demo-summary.ts';
import { cut, decision, widthOf } from './demo-view.ts';
import { speedOf } from './replay.ts';
import { SHIPPED_RULES, STORY } from './shipped.ts';
import { terminal } from './terminal.ts';

/** What ends the demo, and with it the process that it has started. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long the day takes when somebody watches. */
const SHOW_MS = 35_000;
const PLAIN_COLUMNS = 100;

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'a recorded working day of eight agents, judged live by the rules that ship; then a real process, stopped',
    )
    .option(
      '--speed <n>',
      'n times as fast as it was, or max; default: the day in 35 s, max without a terminal',
      speedOf,
    )
    .option('--rules <dir>', 'other rules than those that ship')
    .addHelpText(
      'after',
      '\nWithout a terminal only the decisions and the summary are written. NO_COLOR is respected.' +
        '\nThe real process only says that it deletes; it ends with the demo, and needs neither Kafka nor Redis.',
    )
    .action(async ({ speed, rules }: { speed?: number | 'max'; rules?: string }) => {
      await demo(speed, rules ?? SHIPPED_RULES);
    });
}

async function demo(speed: number | 'max' | undefined, rules: string): Promise<void> {
  const body = await loadPolicyFolder(rules);
  const recording = await openRecording(STORY, body.settings.delayMs);
  const { startMs, endMs } = recording.survey!;
  const live = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  const pace = new Pace(systemClock, speed ?? (live ? (endMs - startMs) / SHOW_MS : 'max'));
  const picture = live ? new Picture(process.stdout, systemClock) : undefined;
  const colors = terminal();
  const board = new Board();
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  for (const signal of ENDING) process.once(signal, stop);
  picture?.begin();
  try {
    const policy = replayPolicy(body);
    for await (const replayed of replay([recording], { policy, capturedBy: 'given', end: 'open' })) {
      await pace.reach(replayed.record.appendMs, stopped.signal);
      if (stopped.signal.aborted) break;
      const changes = board.note(replayed);
      picture?.draw(board, (replayed.record.appendMs - startMs) / (endMs - startMs));
      if (picture === undefined)
        for (const one of changes) process.stdout.write(`${decision(one, Number.POSITIVE_INFINITY, colors).trim()}\n`);
    }
  } finally {
    picture?.end(board);
  }
  if (!stopped.signal.aborted) {
    const width = widthOf({ columns: live ? (process.stdout.columns ?? PLAIN_COLUMNS) : PLAIN_COLUMNS, rows: 0 });
    const titles = new Map(body.rules.map(({ id, title }) => [id, title]));
    process.stdout.write(`\n${demoSummary(board, titles, width, colors)}\n`);
    await forReal(body, width, colors, stopped.signal);
  }
  for (const signal of ENDING) process.off(signal, stop);
  if (stopped.signal.aborted) process.exitCode = 130;
  else process.stdout.write(`\n${nextSteps(colors.bold)}`);
}

/** A process of this machine under the same rules. */
async function forReal(body: PolicyBody, width: number, colors: Colors, stopped: AbortSignal): Promise<void> {
  process.stdout.write(`${colors.bold(' And a real process, which deletes nothing but says so')}\n`);
  if (process.platform === 'win32') {
    process.stdout.write(' (not on Windows, which cannot stop a process and let it go on)\n');
    return;
  }
  await demoLive(body, (line) => process.stdout.write(`${cut(line, width)}\n`), stopped);
}

function nextSteps(bold: (text: string) => string): string {
  return [
    bold(' Now with your own events'),
    '   firebreak replay events.ndjson --out commands.ndjson',
    bold(' On Kafka and Redis'),
    '   firebreak init --brokers localhost:9092 --rules rules',
    '   firebreak run --brokers localhost:9092 \\',
    '     --redis redis://localhost:6379 --rules rules',
    ' (from this folder: npx firebreak …; --help says more)',
    '',
  ].join('\n');
}

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { NdjsonWriter } from '../adapters/files/ndjson-writer.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { Judging } from '../app/backtest/judging.ts';
import { LabelTable, readLabels } from '../app/backtest/labels.ts';
import { Comparison } from '../app/backtest/report.ts';
import { type BySide, sidesOf } from '../app/backtest/sides.ts';
import { startShard } from '../app/backtest/threads.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import { formatInstant } from '../domain/instant.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { backtestPage } from './backtest/page.ts';
import { sessionLine } from './backtest/session-line.ts';
import { backtestText } from './backtest/text.ts';
import { openSource, type SourceOptions, sourceOptions } from './event-source.ts';
import { Progress } from './progress.ts';
import { configOptions } from './settings.ts';
import { packageVersion, SHIPPED_RULES } from './shipped.ts';
import { terminal } from './terminal.ts';
import { workersOf } from './workers.ts';

/** What a shell says of a program that Ctrl-C ended; here it has told what it had. */
const INTERRUPTED = 130;

interface Options extends SourceOptions {
  rules: string;
  against?: string;
  labels?: string;
  out?: string;
  json?: string;
  html?: string;
  workers: number;
}

export function registerBacktest(program: Command): void {
  const command = sourceOptions(program.command('backtest'))
    .description('judge recorded events by old and new rules, and tell which sessions would end differently')
    .option('--rules <dir>', 'the new rules', SHIPPED_RULES)
    .option('--against <dir>', 'the old rules; without them the new ones stand alone')
    .option('--labels <file>', 'what is known of the sessions: NDJSON of {"session", "label", "harmSeqs"?}')
    .option('--out <file>', 'write every session there, one JSON per line; - is standard output')
    .option('--html <file>', 'write the report there with charts: one file, nothing from the network')
    .option('--json <file>', 'write the report there, one JSON document')
    .option('--workers <n>', 'threads that judge; any number gives the same report', workersOf, availableParallelism())
    .addHelpText(
      'after',
      '\nExit code: 0 when the events were judged, 1 when they, the rules or the labels cannot be used, 130 after' +
        '\nCtrl-C: the report is then of what was read so far, and says how far that is. A second Ctrl-C ends it at once.' +
        '\n\nExamples:' +
        '\n  firebreak backtest november.ndjson.gz --rules my-rules --against rules-in-force' +
        '\n  git worktree add /tmp/main main && firebreak backtest run.ndjson.gz --rules rules --against /tmp/main/rules' +
        '\n  firebreak backtest --kafka --brokers localhost:9092 --since 2026-11-01T00:00:00Z --rules my-rules' +
        '\n  firebreak backtest events.ndjson --rules my-rules --out - | jq \'select(.new.level == "killed")\'',
    );
  configOptions(command, (path) => path.startsWith('kafka.')).action(backtest);
}

async function backtest(files: string[], options: Options): Promise<void> {
  const names: BySide<string> = { new: options.rules };
  if (options.against !== undefined) names.old = options.against;
  const bodies: BySide<PolicyBody> = { new: await loadPolicyFolder(names.new) };
  if (names.old !== undefined) bodies.old = await loadPolicyFolder(names.old);
  const labels = options.labels === undefined ? undefined : new LabelTable(await readLabels(options.labels));
  const delayMs = Math.min(...sidesOf(bodies).map((side) => bodies[side]!.settings.delayMs));
  const { source, close } = await openSource(files, delayMs, options);
  const out = options.out === undefined ? undefined : await NdjsonWriter.open(options.out);

  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt);
  const shards = Array.from({ length: options.workers }, () => startShard(bodies));
  const startedMs = systemClock.monotonicMs();
  const progress = new Progress(process.stderr, systemClock);
  try {
    const judging = new Judging(shards);
    const complete = await judging.read(source, interrupt.signal, ({ records, atMs }) => {
      progress.at(source.shareRead() ?? 0, () => `${records.toLocaleString('en')} records, ${formatInstant(atMs)}`);
    });
    progress.done();
    const totals = await judging.totals();
    const comparison = new Comparison(bodies, labels);
    for await (const session of judging.sessions()) {
      comparison.note(session);
      await out?.write(sessionLine(session, source.names, labels?.labelOf(session.session)));
    }
    await out?.close();
    const report = comparison.report({ complete, source, read: judging.soFar, names, totals });
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    if (options.html !== undefined) await writeFile(options.html, backtestPage(report, packageVersion()));
    const durationMs = systemClock.monotonicMs() - startedMs;
    const screen = options.out === '-' ? process.stderr : process.stdout;
    screen.write(backtestText(report, durationMs, terminal()));
    process.exitCode = complete ? 0 : INTERRUPTED;
  } finally {
    progress.done();
    process.off('SIGINT', onInterrupt);
    await Promise.all([close(), ...shards.map((shard) => shard.stop())]);
  }
}

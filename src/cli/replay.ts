import type { Command } from 'commander';
import { NdjsonWriter } from '../adapters/files/ndjson-writer.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { Pace } from '../app/pace.ts';
import { openRecording, type Recording } from '../app/recording.ts';
import { replay, replayPolicy } from '../app/replay.ts';
import { ReplaySummary } from '../app/replay-summary.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import { Progress } from './progress.ts';
import { summaryText } from './replay-report.ts';
import { SHIPPED_RULES } from './shipped.ts';

interface Options {
  rules?: string;
  out?: string;
  findings?: string;
  audit?: string;
  speed: number | 'max';
  openEnd?: true;
  unanswered?: true;
}

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('judge recorded events from files, without Kafka and Redis: the same engine, the same commands')
    .argument('<file...>', 'NDJSON, plain or gzip: bare events, or what `firebreak capture` wrote; - is standard input')
    .option(
      '--rules <dir>',
      'rules to judge by; default: the rules that ship, and for captured files the recorded ones',
    )
    .option('--out <file>', 'write the commands there, one JSON per line; - is standard output')
    .option('--findings <file>', 'write the findings there, one JSON per line; - is standard output')
    .option('--audit <file>', 'write the audit trail there, one JSON per line; - is standard output')
    .option('--speed <n>', 'let time pass n times as fast as it was, to watch it; max does not wait', speedOf, 'max')
    .option('--open-end', 'do not let the clock run on after the last event until nothing is pending')
    .option('--unanswered', 'let nobody answer: what is paused is killed when the time for an answer is over')
    .addHelpText(
      'after',
      '\nExit code: 0 when the files were judged, 1 when they or the rules cannot be used.' +
        '\n\nExamples:' +
        '\n  firebreak replay events.ndjson --out commands.ndjson' +
        '\n  firebreak replay monday.ndjson.gz tuesday.ndjson.gz --rules my-rules' +
        '\n  zcat events.ndjson.gz | firebreak replay - --out - | jq .reason',
    )
    .action(replayFiles);
}

export function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new Error(`--speed: found "${text}"; allowed: max, or a number above 0 such as 60 (an hour in a minute)`);
}

async function replayFiles(files: string[], options: Options): Promise<void> {
  const body = await loadPolicyFolder(options.rules ?? SHIPPED_RULES);
  const { delayMs } = body.settings;
  const recordings: Recording[] = [];
  const writers: NdjsonWriter[] = [];
  const progress = new Progress(process.stderr, systemClock);
  try {
    for (const file of files) recordings.push(await openRecording(file, delayMs));
    const out = options.out === undefined ? undefined : await NdjsonWriter.open(options.out);
    if (out) writers.push(out);
    const findings = options.findings === undefined ? undefined : await NdjsonWriter.open(options.findings);
    if (findings) writers.push(findings);
    const audit = options.audit === undefined ? undefined : await NdjsonWriter.open(options.audit);
    if (audit) writers.push(audit);

    const summary = new ReplaySummary();
    const pace = new Pace(systemClock, options.speed);
    const startedMs = systemClock.monotonicMs();
    const bytesTotal = recordings.reduce((sum, { bytesTotal }) => sum + bytesTotal, 0);
    const replayed = replay(recordings, {
      policy: replayPolicy(body),
      capturedBy: options.rules === undefined ? 'recorded' : 'given',
      end: options.openEnd ? 'open' : 'closed',
      people: options.unanswered ? 'silent' : 'absent',
    });
    for await (const one of replayed) {
      if (one.line !== undefined) await pace.reach(one.record.appendMs);
      summary.note(one);
      for (const output of one.outputs) {
        if (output.topic === 'commands') await out?.write(JSON.stringify(output.command));
        if (output.topic === 'findings') await findings?.write(JSON.stringify(output.finding));
        if (output.topic === 'audit') await audit?.write(JSON.stringify(output.entry));
      }
      progress.at(shareRead(recordings, bytesTotal), () => `${summary.records.toLocaleString('en')} records`);
      if (writers.length > 0 && writers.every(({ closed }) => closed)) break;
    }
    progress.done();
    for (const writer of writers) await writer.close();
    const durationMs = systemClock.monotonicMs() - startedMs;
    process.stderr.write(summaryText(summary, durationMs, options.rules));
  } finally {
    progress.done();
    for (const recording of recordings) await recording.close();
  }
}

function shareRead(recordings: readonly Recording[], bytesTotal: number): number {
  let read = 0;
  for (const { bytesRead } of recordings) read += bytesRead;
  return bytesTotal === 0 ? 0 : read / bytesTotal;
}

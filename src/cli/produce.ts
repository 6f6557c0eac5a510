import type { Command } from 'commander';
import { ActionWriter } from '../adapters/kafka/action-writer.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { produce } from '../app/produce.ts';
import { openRecording } from '../app/recording.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import { wholeNumber } from './init.ts';
import { speedOf } from './replay.ts';
import { configOf, configOptions } from './settings.ts';
import { STORY } from './shipped.ts';

/** The recorded day in a quarter of an hour. */
const SPEED = 40;
const TOLD_EVERY_MS = 10_000;

export function registerProduce(program: Command): void {
  const verb = program
    .command('produce [file]')
    .description('report recorded actions to the log as if they happened now, to try a deployment')
    .option('--speed <n>', 'n times as fast as they were, or max', speedOf, SPEED)
    .option(
      '--rounds <n>',
      'go through the file n times, with new sessions each time; default: until it is stopped',
      wholeNumber,
    )
    .addHelpText(
      'after',
      '\nWithout a file it is the day of the demo. For trying only: sessions that do not exist are judged and killed.' +
        '\nAt a higher speed more happens in the windows of the rules than on the day itself.' +
        '\n\nExample:\n  firebreak produce --brokers localhost:9092 --speed 60',
    );
  configOptions(verb, (path) => path.startsWith('kafka.')).action(run);
}

interface Options extends Record<string, unknown> {
  speed: number | 'max';
  rounds?: number;
}

async function run(file: string | undefined, options: Options): Promise<void> {
  const config = configOf(options);
  const recording = await openRecording(file ?? STORY, DEFAULT_SETTINGS.delayMs);
  const kafka = kafkaOf(config, createLogger(config.log.level === 'info' ? 'error' : config.log.level));
  const writer = await ActionWriter.open(kafka, `${config.kafka.topicPrefix}actions`, systemClock);
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort());
  let count = 0;
  let toldMs = systemClock.monotonicMs();
  const onWritten = (more: number) => {
    count += more;
    if (systemClock.monotonicMs() - toldMs < TOLD_EVERY_MS) return;
    toldMs = systemClock.monotonicMs();
    process.stderr.write(`${count} actions reported\n`);
  };
  try {
    const total = await produce(recording, {
      speed: options.speed,
      rounds: options.rounds ?? Number.POSITIVE_INFINITY,
      clock: systemClock,
      signal: stopped.signal,
      write: (events) => writer.write(events),
      onWritten,
    });
    process.stderr.write(`${total} actions reported to ${config.kafka.topicPrefix}actions\n`);
  } finally {
    await writer.close();
    await recording.close();
  }
}

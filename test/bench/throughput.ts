import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, Partitioners } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { startKafka } from '../services/kafka.ts';
import { startRedis } from '../services/redis.ts';
import { honestActions } from './actions.ts';

/*
 * Events per second of `firebreak run` with the shipped rules, beside those of the least that a Node program does to read
 * the same log. Both on the same machine in turns: only their ratio means anything elsewhere.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 300_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SESSIONS = Number(process.env['BENCH_SESSIONS'] ?? 4000);
const PARTITIONS = 8;
const SEND_AT_ONCE = 1600;
const SAMPLE_MS = 100;
const DEADLINE_MS = 120_000;
const MAIN = 'dist/cli/main.js';
/** Options of Node for `firebreak run`, such as --cpu-prof. */
const NODE_OPTIONS = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '');

interface Measured {
  events: number;
  elapsedMs: number;
  cpuMs: number;
}

let kafka: Awaited<ReturnType<typeof startKafka>>;
let redis: Awaited<ReturnType<typeof startRedis>>;
let folder: string;
let flags: string[];

beforeAll(async () => {
  [kafka, redis, folder] = await Promise.all([startKafka(), startRedis(), mkdtemp(join(tmpdir(), 'firebreak-bench-'))]);
  flags = ['--brokers', kafka.brokers.join(','), '--keys', join(folder, 'keys.json')];
  await finished('init', ...flags, '--partitions', String(PARTITIONS), '--rules', 'rules');
  await produce();
});

afterAll(async () => {
  await Promise.all([kafka?.stop(), redis?.stop()]);
  await rm(folder, { recursive: true });
});

it('null consumer and firebreak run, in turns', async () => {
  const rounds: { reading: Measured; judging: Measured }[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    // The order changes, so that whatever warms up or fills up does so for both.
    const first = round % 2 === 1 ? await nullConsumer(round) : undefined;
    const judging = await firebreak(round);
    const reading = first ?? (await nullConsumer(round));
    rounds.push({ reading, judging });
    const ratio = (perSecond(judging) / perSecond(reading)).toFixed(2);
    say(`round ${round}: null consumer ${shown(reading)}, firebreak run ${shown(judging)}, ratio ${ratio}`);
  }
  say('');
  say(`${EVENTS} events, ${SESSIONS} sessions, ${PARTITIONS} partitions, ${ROUNDS} rounds: median (least to most)`);
  say(
    `null consumer   ${spread(
      rounds.map(({ reading }) => perSecond(reading)),
      0,
    )} events/s`,
  );
  say(
    `firebreak run   ${spread(
      rounds.map(({ judging }) => perSecond(judging)),
      0,
    )} events/s`,
  );
  const ratios = rounds.map(({ reading, judging }) => perSecond(judging) / perSecond(reading));
  say(`ratio           ${spread(ratios, 2)}`);
  const cpuRatios = rounds.map(({ reading, judging }) => cpuOf(reading) / cpuOf(judging));
  say(`ratio by CPU    ${spread(cpuRatios, 2)}`);
});

async function produce(): Promise<void> {
  const logger = pino({ level: 'silent' });
  const producer = createKafka({ brokers: kafka.brokers, clientId: 'bench', logger }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  let messages: Message[] = [];
  let bytes = 0;
  let sent = 0;
  const send = async () => {
    await producer.send({ topic: 'firebreak.actions', acks: -1, messages });
    sent += messages.length;
    messages = [];
  };
  for (const message of honestActions({ sessions: SESSIONS, events: EVENTS, endMs: Date.now() })) {
    bytes += message.value!.length;
    messages.push(message);
    if (messages.length === SEND_AT_ONCE) await send();
  }
  if (messages.length > 0) await send();
  await producer.disconnect();
  say(`${sent} events of ${Math.round(bytes / sent)} bytes written`);
}

async function nullConsumer(round: number): Promise<Measured> {
  // One more record per partition than there are events: the activation of the policy.
  const records = String(EVENTS + PARTITIONS);
  const args = ['test/bench/null-consumer.mjs', kafka.brokers.join(','), 'firebreak.actions', `null-${round}`, records];
  const { out } = await ended(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  return JSON.parse(out) as Measured;
}

/** Measured from outside, by its own metrics: what is counted there is judged and its outputs are durable. */
async function firebreak(round: number): Promise<Measured> {
  const name = `bench-${round}`;
  const args = [...NODE_OPTIONS, MAIN, 'run', ...flags, '--redis', redis.url, '--group', name, '--http-port', '0'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, FIREBREAK_REDIS__KEY_PREFIX: name },
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = once(child, 'exit');
  const deadlineMs = performance.now() + DEADLINE_MS;
  let first: { atMs: number; judged: number; cpuS: number } | undefined;
  for (;;) {
    await sleep(SAMPLE_MS);
    if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error(`not judged:\n${log.slice(-3000)}`);
    const port = /"httpPort":(\d+)/.exec(log)?.[1];
    if (port === undefined) continue;
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const judged = metric(metrics, 'firebreak_records_total{type="action"}');
    if (judged === 0) continue;
    const now = { atMs: performance.now(), judged, cpuS: metric(metrics, 'process_cpu_seconds_total') };
    first ??= now;
    if (judged < EVENTS) continue;
    child.kill('SIGTERM');
    const [code] = await exited;
    if (code !== 0) throw new Error(`firebreak run ended with ${code}:\n${log.slice(-3000)}`);
    if (round === 1) say(`findings: ${findings(metrics)}`);
    return {
      events: now.judged - first.judged,
      elapsedMs: now.atMs - first.atMs,
      cpuMs: (now.cpuS - first.cpuS) * 1000,
    };
  }
}

function metric(metrics: string, series: string): number {
  const line = metrics.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** Honest work must stay cheap to judge because it is honest, not because nothing is looked at. */
function findings(metrics: string): string {
  const counts = [...metrics.matchAll(/^firebreak_findings_total\{code="(\w+)"\} (\d+)$/gm)];
  return counts.flatMap(([, code, count]) => (count === '0' ? [] : [`${count} ${code}`])).join(', ');
}

async function finished(...args: string[]): Promise<void> {
  const { code, out } = await ended(spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }));
  expect(code, out).toBe(0);
}

async function ended(child: ReturnType<typeof spawn>): Promise<{ code: number | null; out: string }> {
  let out = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out };
}

function perSecond({ events, elapsedMs }: Measured): number {
  return events / (elapsedMs / 1000);
}

function cpuOf({ events, cpuMs }: Measured): number {
  return (cpuMs * 1000) / events;
}

function shown(measured: Measured): string {
  return `${perSecond(measured).toFixed(0)} events/s (${cpuOf(measured).toFixed(1)} µs CPU each)`;
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const show = (at: number) => sorted[at]!.toFixed(digits);
  return `${show(sorted.length >> 1)} (${show(0)} to ${show(sorted.length - 1)})`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

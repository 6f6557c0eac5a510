import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { honestActions } from './actions.ts';

/*
 * `firebreak backtest` of 20 rules against 20 others over one file, beside `firebreak replay` of one of the two over the
 * same file: events per second of the whole run (start and report too), processor time, and the most memory that was
 * resident.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 1);
/** So many sessions run at once; after so many events others take their place. */
const AT_ONCE = 500;
const SHIFT_EVENTS = 25_000;
const START_MS = Date.UTC(2026, 0, 5, 9);
const SHIFT_MS = 250_000;
const SAMPLE_MS = 200;
const MAIN = 'dist/cli/main.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-bench-'));
  await pipeline(Readable.from(lines()), createGzip({ level: 1 }), createWriteStream(join(folder, 'events.ndjson.gz')));
  await writeFile(join(folder, 'old.yaml'), rules(1));
  await writeFile(join(folder, 'new.yaml'), rules(0.9));
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

it('backtest and replay, in turns', async () => {
  const { size } = await stat(join(folder, 'events.ndjson.gz'));
  say(`${EVENTS} events (${Math.round(size / 1e6)} MB as gzip), 20 rules, ${availableParallelism()} processors`);
  for (let round = 1; round <= ROUNDS; round++) {
    say(
      `replay, 20 rules                     ${await measured('replay', file('events.ndjson.gz'), '--rules', file('new.yaml'))}`,
    );
    const args = ['backtest', file('events.ndjson.gz'), '--rules', file('new.yaml'), '--json', file('report.json')];
    say(`backtest, 20 rules                   ${await measured(...args)}`);
    say(`backtest, 20 rules against 20 others ${await measured(...args, '--against', file('old.yaml'))}`);
  }
  const { sessions, levels, coverage } = JSON.parse(await readFile(file('report.json'), 'utf8'));
  say(`${sessions} sessions; levels ${JSON.stringify(levels)}; coverage ${JSON.stringify(coverage)}`);
  expect(coverage.events).toBe(EVENTS);
}, 3_600_000);

/** Sessions that come and go, about 475 bytes an event. */
function* lines(): Generator<string> {
  for (let shift = 0, left = EVENTS; left > 0; shift++, left -= SHIFT_EVENTS) {
    const endMs = START_MS + (shift + 1) * SHIFT_MS;
    for (const { value } of honestActions({ sessions: AT_ONCE, events: Math.min(left, SHIFT_EVENTS), endMs })) {
      yield `${String(value).replaceAll('01J9ZK4Q8XR', `s${String(shift).padStart(4, '0')}-`)}\n`;
    }
  }
}

/** Twenty rules with as many filters, most of which look at a part of the stream. `scale` moves their thresholds. */
function rules(scale: number): string {
  const actions = ['read', 'list', 'update', 'delete', 'send', 'execute', 'create', '[read, list]', '[update, delete]'];
  const matches = [
    ...actions.map((action) => `{ action: ${action}, outcome: [ok, unknown] }`),
    ...['mail', 'coding', 'support'].map((role) => `{ agent.role: "${role}-*", action: [read, update, send] }`),
    '{ outcome: error }',
    '{ resource.id|contains: "/documents/1" }',
    '{ resource.id|re: "documents/(2|3)[0-9]$" }',
    '{ bytes|gt: 2000 }',
    '{ usage.costUsd|gt: 0 }',
    '{ tenant: [tenant-1, tenant-2, tenant-3] }',
    '{ tool: "*_document", action: [execute, send] }',
    '{ principal.type: human, action: [delete, create] }',
  ];
  return matches
    .map((match, i) =>
      [
        `id: rule-${i + 1}`,
        `title: Rule ${i + 1}`,
        'severity: medium',
        `match: ${match}`,
        `within: ${i % 3 === 0 ? 'session' : `${(i % 4) + 1}m`}`,
        'measure: { n: count, targets: distinct(target), bytes: sum(bytes) }',
        'when:',
        `  watch: n > ${Math.ceil(30 * scale)} and targets > 8`,
        `  pause: n > ${Math.ceil(40 * scale)} and bytes > 1000`,
        `  kill: n > ${Math.ceil(52 * scale)} and targets / n > 0.3`,
      ].join('\n'),
    )
    .join('\n---\n');
}

async function measured(...args: string[]): Promise<string> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const closed = once(child, 'close');
  let running = true;
  closed.then(() => {
    running = false;
  });
  let usage = { peakMiB: 0, cpuS: 0 };
  while (running) {
    usage = (await usageOf(child.pid!)) ?? usage;
    await Promise.race([sleep(SAMPLE_MS), closed]);
  }
  const [code] = (await closed) as [number | null];
  expect(code, err).toBe(0);
  const seconds = (performance.now() - startedMs) / 1000;
  const perSecond = Math.round(EVENTS / seconds).toLocaleString('en');
  const cpu = `${((usage.cpuS / EVENTS) * 1e6).toFixed(1)} µs CPU each`;
  return `${perSecond} events/s, ${seconds.toFixed(1)} s, ${cpu}, ${Math.round(usage.peakMiB)} MiB at most`;
}

/** Linux only: elsewhere the columns say 0. Ticks of processor time are hundredths of a second there. */
async function usageOf(pid: number): Promise<{ peakMiB: number; cpuS: number } | undefined> {
  try {
    const [status, times] = await Promise.all(
      ['status', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    );
    const fields = times!.slice(times!.lastIndexOf(')') + 2).split(' ');
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status!)?.[1]);
    return Number.isNaN(peakKiB)
      ? undefined
      : { peakMiB: peakKiB / 1024, cpuS: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return undefined; // the process has ended, and the last sample holds
  }
}

function file(name: string): string {
  return join(folder, name);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

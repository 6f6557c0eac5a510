import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { actionLines } from './actions.ts';
import { measured } from './measured.ts';

/*
 * `firebreak backtest` of 20 rules against 20 others over one file, beside `firebreak replay` of one of the two over the
 * same file: events per second of the whole run (start and report too), processor time, and the most memory that was
 * resident.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 1);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-bench-'));
  await pipeline(
    Readable.from(actionLines(EVENTS)),
    createGzip({ level: 1 }),
    createWriteStream(join(folder, 'events.ndjson.gz')),
  );
  await writeFile(join(folder, 'old.yaml'), rules(1));
  await writeFile(join(folder, 'new.yaml'), rules(0.9));
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

it('backtest and replay, in turns', async () => {
  const { size } = await stat(join(folder, 'events.ndjson.gz'));
  say(`${EVENTS} events (${Math.round(size / 1e6)} MB as gzip), 20 rules, ${availableParallelism()} processors`);
  for (let round = 1; round <= ROUNDS; round++) {
    say(
      `replay, 20 rules                     ${await measured(EVENTS, 'replay', file('events.ndjson.gz'), '--rules', file('new.yaml'))}`,
    );
    const args = ['backtest', file('events.ndjson.gz'), '--rules', file('new.yaml'), '--json', file('report.json')];
    say(`backtest, 20 rules                   ${await measured(EVENTS, ...args)}`);
    say(`backtest, 20 rules against 20 others ${await measured(EVENTS, ...args, '--against', file('old.yaml'))}`);
  }
  const { sessions, levels, coverage } = JSON.parse(await readFile(file('report.json'), 'utf8'));
  say(`${sessions} sessions; levels ${JSON.stringify(levels)}; coverage ${JSON.stringify(coverage)}`);
  expect(coverage.events).toBe(EVENTS);
}, 3_600_000);

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

function file(name: string): string {
  return join(folder, name);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { actionLines } from './actions.ts';
import { measured } from './measured.ts';

/*
 * `firebreak learn` with the intents that ship over one file, with one worker and with more; then killed when half of the
 * file is read, and the run that goes on.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 1);
const WORKERS = [...new Set([1, 2, availableParallelism()])];
const POLL_MS = 20;
/** Of these events, as a run on them leaves it. */
const SPOOL_BYTES_PER_EVENT = 18;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-bench-'));
  await pipeline(Readable.from(actionLines(EVENTS)), createWriteStream(file('events.ndjson')));
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

it('learn, killed and resumed', async () => {
  const { size } = await stat(file('events.ndjson'));
  say(`${EVENTS} events (${Math.round(size / 1e6)} MB), ${availableParallelism()} processors`);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const workers of WORKERS) {
      const load = loadavg()[0]!.toFixed(1);
      const said = await measured(EVENTS, ...learning(`whole-${workers}.json`, workers), '--accept-moves');
      say(`learn, ${workers} workers (load before: ${load})  ${said}`);
      expect(await bytes(`whole-${workers}.json`)).toBe(await bytes('whole-1.json'));
    }
    const halfMs = await killedAtHalf();
    const said = await measured(EVENTS, ...learning('killed.json', WORKERS.at(-1)!), '--accept-moves');
    say(`killed after ${(halfMs / 1000).toFixed(1)} s, then the rest        ${said}`);
    expect(await bytes('killed.json')).toBe(await bytes('whole-1.json'));
  }
}, 3_600_000);

function learning(out: string, workers: number): string[] {
  const rules = 'rules/intents.yaml';
  return ['learn', file('events.ndjson'), '--rules', rules, '--out', file(out), '--workers', String(workers)];
}

/** Killed as soon as about half of the events are written down. Answers after how long. */
async function killedAtHalf(): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['dist/cli/main.js', ...learning('killed.json', WORKERS.at(-1)!)], {
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  while ((await spoolBytes()) < (EVENTS / 2) * SPOOL_BYTES_PER_EVENT) await sleep(POLL_MS);
  child.kill('SIGKILL');
  await closed;
  return performance.now() - startedMs;
}

async function spoolBytes(): Promise<number> {
  const found = await stat(file('killed.json.learning/read.spool')).catch(() => undefined);
  return found?.size ?? 0;
}

function bytes(name: string): Promise<string> {
  return readFile(file(name), 'utf8');
}

function file(name: string): string {
  return join(folder, name);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

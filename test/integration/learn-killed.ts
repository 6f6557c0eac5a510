import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { honestActions } from '../bench/actions.ts';
import { deploy } from './deployment.ts';
import { RULES } from './traffic.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EVENTS = 40_000;
const POLL_MS = 5;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-learning-'));
  const lines = [...honestActions({ sessions: 1000, events: EVENTS, endMs: Date.UTC(2026, 0, 5, 12) })];
  const text = lines.map(({ value }) => String(value)).join('\n');
  await writeFile(file('events.ndjson'), text);
  await writeFile(file('events.ndjson.gz'), gzipSync(text, { level: 1 }));
  await cp(join(ROOT, 'rules/intents.yaml'), file('rules/intents.yaml'));
  expect((await learn('events.ndjson', 'whole.json', 1)).code).toBe(0);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

function start(input: string | string[], out: string, workers: number): ChildProcess {
  const args = ['learn', ...[input].flat(), '--rules', 'rules', '--out', out, '--workers', String(workers)];
  return spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 1, 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null; err: string }> {
  let err = '';
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, err };
}

function learn(input: string | string[], out: string, workers: number): Promise<Awaited<ReturnType<typeof ended>>> {
  return ended(start(input, out, workers));
}

/** SIGKILL as soon as more than `bytes` are written down. Answers how much was. */
async function killed(input: string | string[], out: string, workers: number, bytes: number): Promise<number> {
  const child = start(input, out, workers);
  const end = ended(child);
  while ((await spoolBytes(out)) <= bytes) await sleep(POLL_MS);
  child.kill('SIGKILL');
  expect((await end).signal).toBe('SIGKILL');
  expect(await readdir(folder)).not.toContain(out);
  return spoolBytes(out);
}

async function spoolBytes(out: string): Promise<number> {
  const found = await stat(file(`${out}.learning/read.spool`)).catch(() => undefined);
  return found?.size ?? 0;
}

const HEADER_BYTES = 1000;

describe('firebreak learn that is killed', { timeout: 120_000 }, () => {
  it.each([
    ['events.ndjson', 1],
    ['events.ndjson', 2],
    ['events.ndjson.gz', 2],
  ])('twice while it reads %s with %i workers goes on, to the same bytes', async (events, workers) => {
    const out = `killed-${workers}-${events.length}.json`;
    const first = await killed(events, out, workers, HEADER_BYTES);
    await killed(events, out, 3 - workers, first);
    const { code, err } = await learn(events, out, workers);
    const [, resumed] = /events +40,000, ([\d,]+) of them read by an interrupted run/.exec(err)!;
    expect(Number(resumed!.replace(',', ''))).toBeGreaterThan(1000);
    expect(code).toBe(0);
    expect(await readFile(file(out), 'utf8')).toBe(await readFile(file('whole.json'), 'utf8'));
    expect(await readdir(folder)).not.toContain(`${out}.learning`);
  });

  it('is not mixed with other events or other rules', async () => {
    const text = await readFile(file('events.ndjson'), 'utf8');
    await writeFile(file('changing.ndjson'), text);
    await killed('changing.ndjson', 'mixed.json', 1, HEADER_BYTES);

    await writeFile(file('changing.ndjson'), text.replace('"outcome":"ok"', '"outcome":"no"'));
    const changed = await learn('changing.ndjson', 'mixed.json', 1);
    expect(changed).toMatchObject({
      code: 1,
      err: expect.stringMatching(/changing\.ndjson:\d+: .*not what the interrupted run/),
    });

    await writeFile(file('changing.ndjson'), text);
    const intents = await readFile(file('rules/intents.yaml'), 'utf8');
    await writeFile(
      file('rules/intents.yaml'),
      intents.replace('match: { outcome: denied }', 'match: { outcome: error }'),
    );
    const other = await learn('changing.ndjson', 'mixed.json', 1);
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining('had another set of rules') });

    await writeFile(file('rules/intents.yaml'), intents);
    expect(await learn('changing.ndjson', 'mixed.json', 1)).toMatchObject({ code: 0 });
    expect(await readFile(file('mixed.json'), 'utf8')).toBe(await readFile(file('whole.json'), 'utf8'));
  });

  it('while it reads the topic goes on in every partition, up to where the log was when it began', {
    timeout: 400_000,
  }, async () => {
    const deployment = await deploy({ partitions: 3, rules: RULES });
    try {
      const kafka = deployment.flags.slice(0, 4);
      const actions = (endMs: number) => [...honestActions({ sessions: 300, events: EVENTS / 4, endMs })];
      await deployment.produce(actions(Date.now()));
      expect(await deployment.cli('capture', ...kafka, '--out', file('captured.ndjson'))).toMatchObject({ code: 0 });
      expect((await learn('captured.ndjson', 'captured.json', 2)).code).toBe(0);

      await killed(['--kafka', ...kafka], 'topic.json', 1, HEADER_BYTES);
      await deployment.produce(actions(Date.now()));
      const { code, err } = await learn(['--kafka', ...kafka], 'topic.json', 2);
      expect(err).toMatch(/events +10,000, [\d,]+ of them read by an interrupted run/);
      expect(code).toBe(0);
      expect(await readFile(file('topic.json'), 'utf8')).toBe(await readFile(file('captured.json'), 'utf8'));

      const other = await learn(['--kafka', ...kafka], 'topic.json', 2);
      expect(other.err).toMatch(/events +20,000\n/);
    } finally {
      await deployment.close();
    }
  });
});

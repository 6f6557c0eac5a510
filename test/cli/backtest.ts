import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULES, traffic } from '../integration/traffic.ts';
import { type RunOptions, runProgram } from './program-run.ts';

const root = resolve(import.meta.dirname, '../..');
const OTHER = RULES.replace('deletes > 80', 'deletes > 60').replace('spent > 9000', 'spent > 7000');
const EVENTS = 6000;
const lines = traffic({ sessions: 40, events: EVENTS, seed: 3, startMs: Date.UTC(2026, 0, 5) }).map(({ value }) =>
  String(value),
);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-backtest-'));
  await Promise.all([
    writeFile(join(folder, 'old.yaml'), RULES),
    writeFile(join(folder, 'new.yaml'), OTHER),
    writeFile(join(folder, 'events.ndjson.gz'), gzipSync(`${lines.join('\n')}\n`)),
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

/** `input` is written to it, and standard input stays open until `after` has been done. */
const firebreak = (args: readonly string[], input = '', after?: RunOptions['after']) =>
  runProgram(args, { cwd: folder, input, ...(after && { after }) });

const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
const ndjson = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** `session action event` of each command of a replay. */
async function commandsOf(rules: string, file: string, ...flags: string[]): Promise<string[]> {
  const { code, out } = await firebreak(['replay', file, '--rules', rules, '--out', '-', ...flags]);
  expect(code).toBe(0);
  return ndjson(out)
    .map(({ session, action, triggerEventId, reason }) => `${session} ${action} ${triggerEventId} ${reason}`)
    .sort();
}

interface SessionLine {
  session: string;
  old: { raised: Raised[] };
  new: { raised: Raised[] };
}
interface Raised {
  level: string;
  triggerEventId: string;
  reason: string;
}

/** The same of what `--out` says. */
function stopsOf(sessions: readonly SessionLine[], side: 'old' | 'new'): string[] {
  const actions: Record<string, string> = { paused: 'pause', killed: 'kill' };
  return sessions
    .flatMap((one) => one[side].raised.map((raised) => ({ session: one.session, ...raised })))
    .filter(({ level }) => level in actions)
    .map(({ session, level, triggerEventId, reason }) => `${session} ${actions[level]} ${triggerEventId} ${reason}`)
    .sort();
}

describe('firebreak backtest', () => {
  it('compares rules in threads, and stops what replay stops', { timeout: 120_000 }, async () => {
    const args = ['backtest', 'events.ndjson.gz', '--rules', 'new.yaml', '--against', 'old.yaml'];
    const [three, one] = await Promise.all([
      firebreak([...args, '--workers', '3', '--out', 'three.ndjson', '--json', 'three.json']),
      firebreak([...args, '--workers', '1', '--out', '-', '--json', 'one.json']),
    ]);
    expect([three.code, one.code]).toEqual([0, 0]);
    const sessions = ndjson(await readFile(join(folder, 'three.ndjson'), 'utf8'));
    expect(ndjson(one.out)).toEqual(sessions);
    expect(await json('one.json')).toEqual(await json('three.json'));
    for (const side of ['old', 'new'] as const) {
      const commands = await commandsOf(`${side}.yaml`, 'events.ndjson.gz');
      expect(commands.length).toBeGreaterThan(3);
      expect(stopsOf(sessions, side)).toEqual(commands);
    }
    expect(three.out).toMatch(/coverage +6,000 events \(100\.0 %\) pass the match of a rule/);
    expect(three.out).toMatch(/^any-spend +5,696 +34 -> 19 +2 -> 17 +0$/m);
    expect(one.err).toContain('Sessions that change');
  });

  it('tells after Ctrl-C what it has, how far it came, and ends with 130', { timeout: 120_000 }, async () => {
    const input = `${lines.join('\n')}\n`;
    const args = [
      'backtest',
      '-',
      '--rules',
      'new.yaml',
      '--workers',
      '2',
      '--json',
      'part.json',
      '--out',
      'part.ndjson',
    ];
    const { code, out } = await firebreak(args, input, (child) => child.kill('SIGINT'));
    expect(code).toBe(130);
    const { complete, read, coverage } = await json('part.json');
    expect(complete).toBe(false);
    expect(read.records).toBeGreaterThan(1000);
    expect(read.at).toBe(`-:${read.records}`);
    expect(coverage.events).toBe(read.records);
    expect(out).toContain(`interrupted at ${read.at}: all numbers are of what came before`);
    await writeFile(join(folder, 'part-events.ndjson'), lines.slice(0, read.records).join('\n'));
    const sessions = ndjson(await readFile(join(folder, 'part.ndjson'), 'utf8'));
    expect(stopsOf(sessions, 'new')).toEqual(await commandsOf('new.yaml', 'part-events.ndjson', '--open-end'));
  });

  it.each([
    ['a file twice', ['backtest', 'events.ndjson.gz', './events.ndjson.gz'], 'is given twice'],
    ['a file of another kind', ['backtest', resolve(root, 'LICENSE')], 'LICENSE:2: no line is an action event'],
    ['old rules that are not there', ['backtest', 'events.ndjson.gz', '--against', 'none'], 'none:1:1: error: no rule'],
    ['neither files nor Kafka', ['backtest'], 'give files, or --kafka for the topic of actions'],
    ['workers that are none', ['backtest', 'events.ndjson.gz', '--workers', '0'], '--workers: found "0"; allowed:'],
    [
      'labels with mistakes',
      ['backtest', 'events.ndjson.gz', '--labels', 'new.yaml'],
      'new.yaml:2: the line is not JSON',
    ],
  ])('refuses %s with one clear error', async (_, args, message) => {
    const { code, out, err } = await firebreak(args);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at /m);
  });
});

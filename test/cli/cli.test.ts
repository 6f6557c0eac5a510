import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { runProgram } from './program-run.ts';

const root = resolve(import.meta.dirname, '../..');
const story = resolve(root, 'fixtures/story/events.ndjson');
const expected = resolve(root, 'fixtures/story/expected.ndjson');

const firebreak = (args: readonly string[], input: Buffer | string = '', env: Record<string, string> = {}) =>
  runProgram(args, { cwd: folder, input, env: { FIREBREAK_DEBUG: '', ...env } });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('firebreak explain', () => {
  it('tells who was stopped, where, why, and what would have spared it', async () => {
    const paused = JSON.parse((await readFile(expected, 'utf8')).split('\n')[0]!);
    const { code, out } = await firebreak(['explain', paused.session, '--from', story]);
    expect(code).toBe(0);
    expect(out).toContain('session mail-helper-0302: killed\n  who    agent mail-helper (email-assistant), for kim@');
    expect(out).toContain('PAUSED at action 159 by mass-deletion (high): Many small deletions');
    expect(out).toContain(`  command ${paused.id}\n`);
    expect(out).toMatch(/with kill at deletes > 106 instead of > max\(60, 8 \* baseline.deletes.p99\)/);
    expect(out).toMatch(/at action 159 without any one of these 20 steps/);
  });

  it('finds the session of a command, and says the same to a program', async () => {
    const paused = JSON.parse((await readFile(expected, 'utf8')).split('\n')[0]!);
    const told = await firebreak(['explain', '--command', paused.id, '--from', story, '--json']);
    const { session, stops } = JSON.parse(told.out);
    expect([session, stops[0].command, stops[0].step.line]).toEqual([paused.session, paused.id, 468]);
  });

  it.each<[string, string[], string]>([
    ['a session that is not there', ['mail-helper-0303'], 'did you mean "mail-helper-0302"?'],
    ['a command that is not there', ['--command', 'cmd-1'], 'command "cmd-1": not in '],
    ['neither', [], 'name what to explain: a session, or a command'],
    ['what is kept and a file', ['mail-helper-0302', '--kept'], '--kept goes with a session, and without --from'],
    ['Redis that nobody reads', ['mail-helper-0302', '--redis', 'redis://r'], '--redis goes with --kept'],
  ])('refuses %s', async (_, args, message) => {
    const { code, out, err } = await firebreak(['explain', ...args, '--from', story]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
  });
});

describe('firebreak keys', () => {
  it('makes a key file once, and tells its public half then and later', async () => {
    const made = await firebreak(['keys', 'make', 'gw.json', '--roles', 'gateway']);
    const key = JSON.parse(made.out);
    expect([made.code, key.roles, Object.keys(key)]).toEqual([0, ['gateway'], expect.not.arrayContaining(['d'])]);
    expect(await firebreak(['keys', 'public', 'gw.json'])).toMatchObject({ code: 0, out: made.out });
    const again = await firebreak(['keys', 'make', 'gw.json', '--roles', 'gateway']);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('there is a key file already')]);
    const wrong = await firebreak(['keys', 'make', 'x.json', '--roles', 'boss']);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('--roles: found "boss"; allowed: owner,')]);
  });
});

describe('firebreak replay', () => {
  it('writes the expected commands of the recorded day, and a summary to stderr', async () => {
    const { code, out, err } = await firebreak(['replay', story, '--out', '-', '--findings', 'findings.ndjson']);
    expect([code, out]).toEqual([0, await readFile(expected, 'utf8')]);
    expect(err).toMatch(/records +2,679 in .*\nactions +2,328 judged, 351 after a kill\n/);
    expect(err).toMatch(/sessions +8: 1 killed, 3 paused, 1 watched\n/);
    expect(err).not.toContain('\x1b');
    const findings = (await readFile(join(folder, 'findings.ndjson'), 'utf8')).trim().split('\n');
    expect(findings.filter((line) => JSON.parse(line).code === 'level_changed').length).toBe(10);
  });

  it('does the same where no string can become code', async () => {
    const env = { NODE_OPTIONS: '--disallow-code-generation-from-strings' };
    const { code, out } = await firebreak(['replay', story, '--out', '-'], '', env);
    expect([code, out]).toEqual([0, await readFile(expected, 'utf8')]);
  });

  it('reads standard input', async () => {
    const { code, out } = await firebreak(['replay', '-', '--out', '-'], await readFile(story));
    expect([code, out]).toEqual([0, await readFile(expected, 'utf8')]);
  });

  it('tells the lines that it cannot use, and judges the others', async () => {
    const lines = (await readFile(story, 'utf8')).split('\n').slice(0, 20);
    await writeFile(join(folder, 'some.ndjson'), [...lines, 'nonsense'].join('\n'));
    const { code, err } = await firebreak(['replay', 'some.ndjson']);
    expect(code).toBe(0);
    expect(err).toMatch(/refused +1 not_json\n {2}some.ndjson:21: value is not JSON\n/);
  });

  it.each([
    ['a file that is not there', ['replay', 'nothing.ndjson'], 'firebreak: nothing.ndjson: no such file'],
    ['a file of another kind', ['replay', resolve(root, 'LICENSE')], 'no line is an action event'],
    ['rules with mistakes', ['replay', story, '--rules', resolve(root, 'fixtures/rules/bad-id.yaml')], 'bad-id.yaml:'],
    ['a speed that is none', ['replay', story, '--speed', 'fast'], '--speed: found "fast"; allowed: max, or a number'],
    ['a folder to write to that is not there', ['replay', story, '--out', 'no/out'], 'no/out'],
  ])('refuses %s with one clear error', async (_, args, message) => {
    const { code, out, err } = await firebreak(args);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at /m);
  });
});

describe('firebreak demo', () => {
  it('writes only decisions and the summary without a terminal', async () => {
    const { code, out, err } = await firebreak(['demo']);
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('\x1b');
    expect(out).toMatch(/^10:43 {2}watch {3}mail-helper .*\n10:44 {2}PAUSED {2}mail-helper .* 21 objects deleted/);
    expect(out).toContain('What was stopped');
    expect(out).toContain('firebreak run --brokers localhost:9092');
  });
});

describe('firebreak', () => {
  it('knows its version', async () => {
    const { version } = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'));
    expect(await firebreak(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('describes every verb', async () => {
    const verbs = (await createProgram(undefined)).commands;
    expect(verbs.map((verb) => verb.name())).toEqual(
      expect.arrayContaining(['replay', 'check', 'test', 'demo', 'schema']),
    );
    for (const verb of verbs) expect(verb.helpInformation(), verb.name()).toMatch(/^Usage: .+\n\n\w.{20,}/);
  });

  it('suggests the verb that was meant', async () => {
    const { code, err } = await firebreak(['replya']);
    expect([code, err.includes('(Did you mean replay?)')]).toEqual([1, true]);
  });

  it('shows a stack only when it is asked to', async () => {
    const { err } = await firebreak(['replay', 'nothing.ndjson'], '', { FIREBREAK_DEBUG: '1' });
    expect(err).toMatch(/^ {4}at /m);
  });
});

import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from './program-run.ts';

const root = resolve(import.meta.dirname, '../..');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-learn-'));
  await copyFile(resolve(root, 'rules/intents.yaml'), join(folder, 'intents.yaml'));
  await writeFile(join(folder, 'sends.yaml'), SENDS);
  await writeFile(join(folder, 'events.ndjson'), events().slice(0, -10).join('\n'));
  await writeFile(join(folder, 'stranger.ndjson'), events().slice(-10).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SENDS = `id: many-sends
title: Many messages
severity: high
match: { action: send }
within: session
measure: { sends: count }
when: { watch: sends > 20 + baseline.sends.p99 }
baselineDefaults: { sends.p99: 9 }
`;

/** 400 sessions of mail work, one in ten of their actions sends to one of forty people; one more sends to strangers. */
function events(): string[] {
  const start = Date.UTC(2026, 0, 5);
  return Array.from({ length: 400 * 10 + 10 }, (_, i) => {
    const session = Math.floor(i / 10);
    const stranger = session === 400;
    const send = stranger ? i % 10 > 2 : i % 10 === 9;
    return JSON.stringify({
      id: `e-${i}`,
      time: new Date(start + i * 4000).toISOString(),
      session: `s-${session}`,
      agent: { id: 'a', role: 'mail' },
      tool: send ? 'send_mail' : 'read_mail',
      action: send ? 'send' : 'read',
      resource: { type: 'address', id: stranger ? `stranger-${i}` : `person-${session % 40}` },
      outcome: 'ok',
    });
  });
}

const firebreak = (args: readonly string[]) => runProgram(args, { cwd: folder });

describe('firebreak learn', { timeout: 120_000 }, () => {
  it('writes a baseline beside the intents, by which a replay then judges', async () => {
    const learned = await firebreak(['learn', 'events.ndjson', '--rules', '.', '--kill', '1%', '--pause', '2%']);
    expect(learned.err).toContain('400: ');
    expect(learned.err).toMatch(/outward +[\d.]+ marks in 100 actions, 1 cohorts, \d+ known values/);
    expect(learned.err).toMatch(/many-sends +sends.p99 1; 1 cohorts with numbers of their own/);
    expect(learned.err).toMatch(/kill +above [\d.]+ nats, at most 1 % of benign sessions: conformal, 1 of \d+/);
    expect(learned.code).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'baseline.json'), 'utf8'))).toMatchObject({ format: 1 });
  });

  it('the folder is then a policy with evidence', async () => {
    const replayed = await firebreak(['replay', 'stranger.ndjson', '--rules', '.', '--out', 'commands.ndjson']);
    expect(replayed.code).toBe(0);
    const lines = (await readFile(join(folder, 'commands.ndjson'), 'utf8')).trim().split('\n');
    const stopped = lines.map((line) => JSON.parse(line) as { session: string; rule: string });
    expect(stopped).toContainEqual(expect.objectContaining({ session: 's-400', rule: 'outward' }));
  });

  it('tells what a baseline of other sessions says differently', async () => {
    const half = (await readFile(join(folder, 'events.ndjson'), 'utf8')).split('\n').slice(0, 1500);
    const listing = half.map((line) =>
      line.replace('"action":"read"', '"action":"list"').replace('person-7"', 'newcomer"'),
    );
    await mkdir(join(folder, 'other'));
    await copyFile(resolve(root, 'rules/intents.yaml'), join(folder, 'other/intents.yaml'));
    await writeFile(join(folder, 'other/events.ndjson'), listing.join('\n'));
    expect((await firebreak(['learn', 'other/events.ndjson', '--rules', 'other'])).code).toBe(0);
    const { code, out } = await firebreak(['baseline', 'diff', '.', 'other']);
    expect(code).toBe(0);
    expect(out).toMatch(/^signed before: by nobody\nsigned after: {2}by nobody\nsessions: parameters \d+ -> \d+,/);
    expect(out).toMatch(/reconnaissance\n +agent\.role=mail +x [\d.]+ +[\d.]+ -> [\d.]+ marks in 100 actions/);
    expect(out).toContain('known values that are gone: 1 (person-7)');
    expect(out).toContain('known values that are new: 1 (newcomer)');
    const same = await firebreak(['baseline', 'diff', 'other/baseline.json', 'other']);
    expect(same.out).toContain('as before (no rate moved by a factor of 1.25): destruction,');
    const none = await firebreak(['baseline', 'diff', '.', 'missing']);
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringContaining('no baseline.json in missing; firebreak learn'),
    });
  });

  it('signs what it takes over, and a person signs what was looked at', async () => {
    await firebreak(['keys', 'make', 'learner.keys.json', '--roles', 'learner']);
    await firebreak(['keys', 'make', 'owner.keys.json', '--roles', 'owner']);
    const { kid } = JSON.parse((await firebreak(['keys', 'public', 'learner.keys.json'])).out);
    await copyFile(join(folder, 'baseline.json'), join(folder, 'signed.json'));
    const learn = ['learn', 'events.ndjson', '--rules', '.', '--kill', '1%', '--pause', '2%', '--out', 'signed.json'];

    const owner = await firebreak([...learn, '--sign', '--keys', 'owner.keys.json']);
    expect(owner.code).toBe(1);
    expect(owner.err).toContain('owner.keys.json: its key has the role owner; a baseline needs learner');

    const learned = await firebreak([...learn, '--sign', '--keys', 'learner.keys.json']);
    expect(learned).toMatchObject({ code: 0, err: expect.stringContaining(`signed.json, signed by ${kid}`) });
    const shown = await firebreak(['baseline', 'show', 'signed.json', '--keys', 'learner.keys.json']);
    expect(shown).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^signed +by ${kid} at \\S+$`, 'm')),
    });
    expect(shown.out).toMatch(/^kill +above [\d.]+ nats \(conformal, n = \d+, budget 0.01\)$/m);
    const untrusted = await firebreak(['baseline', 'show', 'signed.json', '--keys', 'owner.keys.json']);
    expect(untrusted).toMatchObject({ code: 1, out: expect.stringContaining('a key that is not trusted here') });
    const { signature, ...rest } = JSON.parse(await readFile(join(folder, 'signed.json'), 'utf8'));
    expect(signature.key).toBe(kid);
    expect(rest).toEqual(JSON.parse(await readFile(join(folder, 'baseline.json'), 'utf8')));

    await writeFile(join(folder, 'signed.json'), JSON.stringify({ ...rest, signature, onUncertified: 'kill' }));
    const altered = await firebreak(['baseline', 'show', 'signed.json', '--keys', 'learner.keys.json']);
    expect(altered).toMatchObject({ code: 1, out: expect.stringContaining('was changed after it was signed') });
    const diff = await firebreak(['baseline', 'diff', '.', 'signed.json', '--keys', 'learner.keys.json']);
    expect(diff.out).toMatch(
      new RegExp(`^signed before: by nobody\nsigned after: {2}by ${kid} at \\S+: signature by ${kid} does not fit`),
    );
    await mkdir(join(folder, 'altered'));
    await copyFile(join(folder, 'sends.yaml'), join(folder, 'altered/sends.yaml'));
    await copyFile(join(folder, 'signed.json'), join(folder, 'altered/baseline.json'));
    await mkdir(join(folder, 'settings'));
    await writeFile(join(folder, 'settings/strict.yaml'), 'keys: { file: learner.keys.json, signedBaselines: true }\n');
    const activated = await firebreak(['activate', 'altered', '--config', 'settings/strict.yaml']);
    expect(activated).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        `altered/baseline.json: signature by ${kid} does not fit: the file was changed after it was signed; allowed: a baseline signed by ${kid}`,
      ),
    });
    const signed = await firebreak(['baseline', 'sign', 'signed.json', '--keys', 'learner.keys.json']);
    expect(signed).toMatchObject({ code: 0, out: expect.stringMatching(`signed.json: by ${kid} at `) });
    expect((await firebreak(['baseline', 'show', 'signed.json', '--keys', 'learner.keys.json'])).code).toBe(0);
  });

  it('does not take over a baseline that raises a rate by more than one version may', async () => {
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, 'more.ndjson'), (await read('events.ndjson')).replaceAll('"read"', '"list"'));
    const learn = (...more: string[]) =>
      firebreak(['learn', 'more.ndjson', '--rules', '.', '--out', 'moved.json', ...more]);
    await copyFile(join(folder, 'baseline.json'), join(folder, 'moved.json'));
    const before = await read('moved.json');

    const held = await learn();
    expect(held.code).toBe(1);
    expect(held.err).toMatch(/not taken over +it raises more than one version may/);
    expect(held.err).toMatch(/reconnaissance: .*: [\d.]+ -> [\d.]+ marks per 100 (actions|active hours) \(x [\d.]+\)/);
    expect(held.err).toMatch(/written +moved\.json\.proposed, unsigned; --accept-moves takes it over/);
    expect(await read('moved.json')).toBe(before);
    const proposed = await read('moved.json.proposed');
    const { out } = await firebreak(['baseline', 'diff', 'moved.json', 'moved.json.proposed']);
    expect(out).toMatch(/beyond what one version may raise \(kill x 1\.2, rates x 1\.5\):\n {2}reconnaissance: /);

    const elsewhere = await firebreak([
      ...['learn', 'more.ndjson', '--rules', '.', '--out', 'first.json', '--previous', 'moved.json'],
    ]);
    expect(elsewhere).toMatchObject({ code: 1, err: expect.stringContaining('first.json.proposed') });
    expect((await learn('--previous', 'missing.json')).err).toContain('--previous: no baseline at missing.json');

    expect((await learn('--accept-moves')).code).toBe(0);
    expect(await read('moved.json')).toBe(proposed);
    await expect(read('moved.json.proposed')).rejects.toThrow('ENOENT');
    expect((await learn()).code).toBe(0);
  });

  it('says whose sessions alone can move the thresholds', async () => {
    const { err } = await firebreak(['learn', 'events.ndjson', '--rules', '.', '--out', 'alone.json']);
    expect(err).toMatch(/warning +agent a has 100 % of the sessions that certify/);
  });

  it('leaves out the sessions of a log that were stopped and that nobody released', async () => {
    const topicId = 'a'.repeat(64);
    const records = (await readFile(join(folder, 'events.ndjson'), 'utf8')).split('\n').slice(0, 1000);
    const line = (offset: number, value: string, type?: string) =>
      JSON.stringify({
        topicId,
        partition: 0,
        offset: String(offset),
        appendTime: new Date(Date.UTC(2026, 0, 5) + offset * 4000).toISOString(),
        key: JSON.parse(value).session,
        headers:
          type === undefined
            ? {}
            : { ce_type: `dev.firebreak.${type}`, ce_specversion: '1.0', ce_id: 'x', ce_source: 't' },
        value,
      });
    const stop = (session: string) => JSON.stringify({ command: `cmd-${session}`, session });
    const decide = (session: string, kind: string) =>
      JSON.stringify({ id: `d-${session}`, kind, session, by: { id: 'lee' }, reason: 'seen' });
    const lines = records.map((value, offset) => line(offset, value));
    for (const session of ['s-1', 's-2', 's-3']) lines.push(line(lines.length, stop(session), 'command.published.v1'));
    lines.push(line(lines.length, decide('s-2', 'release'), 'decision.v1'));
    lines.push(line(lines.length, decide('s-4', 'reject'), 'decision.v1'));
    await writeFile(join(folder, 'log.ndjson'), lines.join('\n'));
    const { code, err } = await firebreak(['learn', 'log.ndjson', '--rules', '.', '--out', 'cut.json']);
    expect(err).toMatch(/sessions +97: /);
    expect(err).toMatch(/left out +3 sessions that were stopped and not released/);
    expect(code).toBe(0);
  });

  it('says how many sessions are missing, and what evidence does until then', async () => {
    const { err } = await firebreak(['learn', 'events.ndjson', '--rules', '.', '--out', 'other.json']);
    expect(err).toMatch(/kill +above .*: extrapolated, \d+ of the 9,999 sessions that certify it; [\d,]+ are missing/);
    expect(err).toContain('evidence beyond the threshold of kill leads to pause until it is certified');
  });

  it.each([
    [['--kill', '2'], '--kill'],
    [['--confidence', 'high'], 'marginal, pac95'],
    [['--labels', 'missing.ndjson'], 'missing.ndjson'],
  ])('refuses %j in one line', async (options, said) => {
    const { code, err } = await firebreak(['learn', 'events.ndjson', '--rules', '.', ...options]);
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(said);
  });

  it('refuses a folder with nothing to learn', async () => {
    await mkdir(join(folder, 'plain'));
    await writeFile(join(folder, 'plain/rule.yaml'), SENDS.replace(/ \+ baseline.*/s, ' }\n'));
    const { code, err } = await firebreak(['learn', 'events.ndjson', '--rules', 'plain']);
    expect(code).toBe(1);
    expect(err).toContain('nothing to learn in plain');
  });

  it('of a single file asks where the baseline shall go, before it reads anything', async () => {
    const { code, err } = await firebreak(['learn', 'missing.ndjson', '--rules', 'sends.yaml']);
    expect(code).toBe(1);
    expect(err).toContain('--rules: sends.yaml is a file, and a baseline stands in a folder; name one, or --out FILE');
  });
});

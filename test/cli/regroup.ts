import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from './program-run.ts';

let folder = '';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const INTENT = `kind: intent
id: destruction
title: Things deleted
match: { action: delete, outcome: ok }
mark: distinct(target)
---
kind: policy
idleEnd: 3d
maxLifetime: 30d
`;

/** A reproducible source of numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Agents of ten sessions twelve hours apart, twenty actions each; of one in ten of which a thing is deleted. */
function agents(name: string, count: number, seed: number, deletes: (session: number) => number): string[] {
  const next = numbers(seed);
  const events: { atMs: number; event: object }[] = [];
  for (let agent = 0; agent < count; agent++) {
    const beganMs = Date.UTC(2026, 0, 5) + agent * 7 * MINUTE;
    for (let session = 0; session < 10; session++) {
      for (let i = 0; i < 20; i++) {
        const deleting = next() < deletes(session);
        const atMs = beganMs + (session * DAY) / 2 + i * MINUTE;
        const id = `${name}-${agent}-${session}-${i}`;
        const event = {
          id,
          time: new Date(atMs).toISOString(),
          session: `${name}-${agent}-${session}`,
          agent: { id: `${name}-${agent}`, role: 'mail' },
          tool: deleting ? 'delete_mail' : 'read_mail',
          action: deleting ? 'delete' : 'read',
          resource: { type: 'mail', id },
          outcome: 'ok',
        };
        events.push({ atMs, event });
      }
    }
  }
  return events.sort((a, b) => a.atMs - b.atMs).map(({ event }) => JSON.stringify(event));
}

const honest = () => 0.1;
/** From the third session on more: what an honest session now and then has by chance, but not eight in a row. */
const salami = (session: number) => (session < 2 ? 0.1 : 0.25);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-regroup-'));
  for (const by of ['sessions', 'crowds']) {
    await mkdir(join(folder, by));
    await writeFile(join(folder, by, 'intents.yaml'), INTENT);
  }
  await writeFile(join(folder, 'history.ndjson'), agents('h', 200, 1, honest).join('\n'));
  await writeFile(join(folder, 'honest.ndjson'), agents('a', 60, 2, honest).join('\n'));
  await writeFile(join(folder, 'salami.ndjson'), agents('b', 20, 3, salami).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const firebreak = (...args: string[]) => runProgram(args, { cwd: folder });

/** Agents or sessions that the recording has paused or killed. */
async function stopped(recording: string, rules: string): Promise<string[]> {
  const { code, err } = await firebreak('replay', recording, '--rules', rules, '--out', 'commands.ndjson');
  expect([code, err]).toEqual([0, expect.anything()]);
  const lines = (await readFile(join(folder, 'commands.ndjson'), 'utf8')).split('\n').filter((line) => line !== '');
  const commands = lines.map((line) => JSON.parse(line) as { session?: string; scope?: string; action: string });
  return [...new Set(commands.flatMap(({ session, scope }) => session ?? scope ?? []))];
}

/** How many agents have sessions, or a crowd, that are stopped. */
async function agentsStopped(recording: string): Promise<{ bySession: number; byCrowd: number }> {
  const sessions = await stopped(`${recording}.ndjson`, 'sessions');
  const crowds = await stopped(`${recording}-crowds.ndjson.gz`, 'crowds');
  expect(crowds.filter((scope) => !scope.startsWith('agent:'))).toEqual([]);
  return { bySession: new Set(sessions.map((id) => id.replace(/-\d+$/, ''))).size, byCrowd: crowds.length };
}

describe('what is spread over the sessions of an agent, a little in each', { timeout: 120_000 }, () => {
  it('is seen in its crowd, by what was learned of crowds, and not in its sessions', async () => {
    for (const recording of ['history', 'honest', 'salami']) {
      const { code, err } = await firebreak('regroup', `${recording}.ndjson`, '--out', `${recording}-crowds.ndjson.gz`);
      expect([code, err]).toEqual([0, expect.stringMatching(/\d+ actions of (200|60|20) agents: .*-crowds.ndjson.gz/)]);
    }
    // A budget of sessions, and ten times that of agents, which have ten sessions each.
    const learn = (recording: string, rules: string, pause: string) =>
      firebreak('learn', recording, '--rules', rules, '--watch', '40%', '--pause', pause, '--kill', '0.1%');
    expect(await learn('history.ndjson', 'sessions', '0.5%')).toMatchObject({ code: 0 });
    const { err } = await learn('history-crowds.ndjson.gz', 'crowds', '5%');
    expect(err).toMatch(/^crowds +200: /m);
    expect(err).toMatch(/^pause +above [\d.]+ nats, at most 5 % of benign crowds: conformal/m);
    const honest = await agentsStopped('honest');
    expect([honest.bySession <= 10, honest.byCrowd <= 10]).toEqual([true, true]);
    const salami = await agentsStopped('salami');
    expect([salami.bySession <= 10, salami.byCrowd >= 15]).toEqual([true, true]);
  });

  it('a recording of both is not learned from', async () => {
    const { code, err } = await firebreak(
      'learn',
      'salami.ndjson',
      'salami-crowds.ndjson.gz',
      '--rules',
      'crowds',
      '--out',
      'x.json',
    );
    expect([code, err]).toEqual([1, expect.stringContaining('20 of 220 sessions are crowds of agents')]);
  });
});

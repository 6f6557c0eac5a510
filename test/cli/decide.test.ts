import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { askedSession } from '../app/asked-session.ts';

const { brokers, topicPrefix, folder, session, request, decisions, close } = await askedSession();
afterAll(close);

/** Standard output and exit code of a verb, or the message of its error. */
async function firebreak(...args: string[]): Promise<{ out: string; code: number }> {
  const out: string[] = [];
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean(out.push(String(text))));
  process.exitCode = 0;
  try {
    const where = ['--brokers', brokers.join(','), '--topic-prefix', topicPrefix, '--keys', join(folder, 'keys.json')];
    const known = args[0] === 'sessions' || args[0] === 'show' ? where.slice(0, 4) : where;
    const program = (await createProgram(args[0])).exitOverride();
    for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
    await program.parseAsync(['node', 'firebreak', args[0]!, ...known, ...args.slice(1)]);
    return { out: out.join(''), code: process.exitCode };
  } catch (error) {
    return { out: (error as Error).message, code: 1 };
  } finally {
    written.mockRestore();
    process.exitCode = 0;
  }
}

it('lists who waits for an answer, and shows what the answer would be about', async () => {
  const { out } = await firebreak('sessions');
  expect(out).toMatch(
    /^LEVEL +SESSION +AGENT +TENANT +FOR +BY +NEXT\npaused \? +conv-8842 +mail-helper .* waits for an answer\n$/,
  );
  const shown = await firebreak('show', session);
  expect(shown.out).toContain('session conv-8842 is paused and waits for an answer');
  expect(shown.out).toContain('- mass-deletion (pause): too many deletions [21 against 20]');
  expect(shown.out).toMatch(/delete_email +msg-21 +\+1/);
  expect(shown.out).toContain('No answer within 15m is a no.');
  expect(shown.out).toContain(`view     ${request.view}`);
  expect(shown.out).not.toContain('WARNING');
});

it('sends a release with the command and the view that it is about, signed, and tells what came of it', async () => {
  const told = await firebreak('release', session, '--grant', '5 marks, 10m', '--reason', 'agreed', '--by', 'kim@corp');
  expect(told).toEqual({ out: 'release of conv-8842 (5 marks, 10m): accepted, it counts\n', code: 0 });
  expect(decisions.at(-1)).toMatchObject({
    ...{ kind: 'release', session, command: 'cmd-7', view: request.view, grant: { marks: 5, minutes: 10 } },
    ...{ by: { id: 'kim@corp', type: 'user' }, reason: 'agreed' },
  });
});

it('says why the log refuses a decision, with exit code 1', async () => {
  const told = await firebreak('reject', session, '--reason', 'stale');
  expect(told).toEqual({ out: 'reject of conv-8842: refused, stale_view: the request has changed since\n', code: 1 });
});

it('gives an order to every partition, and lifts it', async () => {
  decisions.length = 0;
  expect(await firebreak('pause', '--tenant', 'corp', '--reason', 'stolen token')).toEqual({
    out: 'pause of tenant:corp: accepted, it counts\n',
    code: 0,
  });
  await firebreak('lift', '--tenant', 'corp', '--reason', 'rotated');
  expect(decisions.map(({ kind, scope }) => `${kind} ${scope?.type}:${scope?.id}`)).toEqual([
    ...['pause tenant:corp', 'pause tenant:corp', 'lift tenant:corp', 'lift tenant:corp'],
  ]);
});

it.each([
  [['release', session, '--grant', 'all', '--reason', 'r'], /grant: found "all"; allowed: parts with commas/],
  [['release', session, '--reason', 'r'], /--grant is missing/],
  [['reject', session], /--reason is missing/],
  [['reject', 'other', '--reason', 'r'], /session "other": nothing was said of it.*firebreak sessions/],
  [['release', session, '--grant', '1 mark', '--view', 'sha256:0'], /--view: found sha256:0, but the request in force/],
  [['kill', '--reason', 'r'], /name exactly one of: a session, --agent ID, --principal ID, --tenant ID/],
  [['lift', '--agent', 'a', '--tenant', 'b', '--reason', 'r'], /name exactly one of: --agent ID/],
  [['sessions', '--since', 'yesterday'], /found "yesterday"; allowed: a duration such as 30m, 24h, 7d/],
])('%j is refused with what is allowed', async (args, message) => {
  decisions.length = 0;
  expect(await firebreak(...args)).toEqual({ out: expect.stringMatching(message), code: 1 });
  expect(decisions).toEqual([]);
});

it('does not even write what the key may not decide', async () => {
  const told = await firebreak('kill', session, '--reason', 'r', '--keys', join(folder, 'gateway.json'));
  expect(told.out).toMatch(/gateway.json: its key has the role gateway; a decision needs decider/);
});

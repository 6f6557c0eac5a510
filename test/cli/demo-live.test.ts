import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { stateOf } from '../integration/runaway.ts';

let demo: ChildProcess | undefined;
let agent: number | undefined;
afterEach(() => {
  demo?.kill('SIGKILL');
  if (agent !== undefined && stateOf(agent) !== undefined) process.kill(agent, 'SIGKILL');
  agent = undefined;
});

/** The demo, as far as what it writes matches. `whole` is fulfilled with all of it at its end. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ['dist/cli/main.js', 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  demo = child;
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      agent ??= Number(/started {2}process (\d+)/.exec(out)?.[1]) || undefined;
    });
  }
  const until = async (pattern: RegExp) => {
    while (!pattern.test(out)) await once(child.stdout, 'data');
  };
  const whole = once(child, 'close').then(([code]) => ({ code: code as number | null, out }));
  return { child, until, whole };
}

it('stops a real process, lets it go on for five more, stops it again, and kills it when nobody answers', {
  timeout: 60_000,
}, async () => {
  const { until, whole } = start();
  await until(/SIGSTOP/);
  // The signal is sent; on a busy machine its process has yet to be scheduled to take it.
  await vi.waitFor(() => expect(stateOf(agent!)).toBe('T'));
  const { code, out } = await whole;
  expect(code).toBe(0);
  const [, first, granted, second, killed] =
    /SIGSTOP {2}after (\d+) deletions: .*\n.*SIGCONT {2}after (\d+) deletions: release by kim.*\(5 marks\)\n.*SIGSTOP {2}after (\d+) deletions: .*\n.*SIGKILL {2}after (\d+) deletions: nobody answered/
      .exec(out)!
      .map(Number);
  expect(first).toBeGreaterThanOrEqual(21);
  expect(second! - granted!).toBeGreaterThanOrEqual(6);
  expect(killed).toBeLessThan(200);
  expect(stateOf(agent!)).toBeUndefined();
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'leaves no process behind when %s ends it',
  { timeout: 60_000 },
  async (signal) => {
    const { child, until, whole } = start();
    await until(/SIGSTOP/);
    child.kill(signal);
    expect((await whole).code).toBe(130);
    expect(stateOf(agent!)).toBeUndefined();
  },
);

it('says so when rules let the process finish', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-demo-'));
  const rule = 'id: aa\ntitle: A rule\nseverity: high\nwithin: 10m\nmeasure: { n: count }\nwhen: { watch: n > 5000 }\n';
  await writeFile(join(folder, 'a.yaml'), rule);
  const { whole } = start('--rules', folder);
  const { code, out } = await whole;
  await rm(folder, { recursive: true });
  expect([code, out]).toEqual([0, expect.stringContaining('by itself after 200 deletions: these rules let it finish')]);
});

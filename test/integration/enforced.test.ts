import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Acknowledgement } from '../../src/domain/record.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { manyDeletions, stateOf } from './runaway.ts';

const SESSION = 'conv-1';
const RULES = manyDeletions('pause', { answerWithin: '10m', acknowledgeWithin: '10m' });

let deployment: Deployment;
let analyzer: Analyzer;
let agent = 0;
beforeAll(async () => {
  deployment = await deploy({ partitions: 1, rules: RULES });
  analyzer = await deployment.run();
}, 60_000);
afterAll(async () => {
  if (stateOf(agent) !== undefined) process.kill(-agent, 'SIGKILL');
  await deployment?.close();
});

/** What stands in the log of actions, decoded. */
async function logged(): Promise<Record<string, unknown>[]> {
  const records = [...(await deployment.log()).values()].flat();
  return records.map(({ value }) => JSON.parse(Buffer.from(value!).toString()));
}
const deletes = async () => (await logged()).filter(({ tool }) => tool === 'delete_email').length;

it('a runaway process is stopped, released in the terminal for 5 more, stopped again, and ended by a no', {
  timeout: 90_000,
}, async () => {
  const [, brokers, , prefix, , keys] = deployment.flags as string[];
  const runner = spawn(
    process.execPath,
    [
      ...['fixtures/enforcer/runner.mjs', '--session', SESSION, '--brokers', brokers!, '--topic-prefix', prefix!],
      ...['--keys', keys!, '--', process.execPath, 'fixtures/enforcer/agent.mjs', '1000000', '150'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(runner, 'exit');
  const said: { what: string; pid: number; command?: string }[] = [];
  const lines = createInterface(runner.stdout!).on('line', (line) => {
    said.push(JSON.parse(line));
    agent = said.at(-1)!.pid;
  });
  const heard = async (what: string) => {
    for (;;) {
      const at = said.findIndex((one) => one.what === what);
      if (at >= 0) return said.splice(0, at + 1).at(-1)!;
      await once(lines, 'line');
    }
  };

  await heard('paused');
  expect(stateOf(agent)).toBe('T');
  const before = await deletes();
  const shown = await deployment.cli('show', SESSION, ...deployment.flags.slice(0, 4));
  expect(shown.out).toContain(`session ${SESSION} is paused and waits for an answer`);
  const told = await deployment.cli(
    'release',
    SESSION,
    ...deployment.flags.slice(0, 6),
    '--grant',
    '5 marks',
    '--reason',
    'ok',
    '--by',
    'lee',
  );
  expect(told.out).toMatch(/^release of conv-1 \(5 marks\): accepted, release by lee: ok/);
  await heard('resumed');
  await heard('paused');
  expect(stateOf(agent)).toBe('T');
  // Five are granted; the sixth is the one that is caught, and more may have been on their way.
  expect((await deletes()) - before).toBeGreaterThanOrEqual(6);
  const no = await deployment.cli(
    'reject',
    SESSION,
    ...deployment.flags.slice(0, 6),
    '--reason',
    'enough',
    '--by',
    'lee',
  );
  expect(no.out).toMatch(/^reject of conv-1: accepted/);
  expect(await heard('killed')).toHaveProperty('command');
  await exited;
  expect(stateOf(agent)).toBeUndefined();

  const enforced = () =>
    logged().then((all) => (all as unknown as Acknowledgement[]).filter(({ status }) => status === 'enforced'));
  while ((await enforced()).length < 4) await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await enforced()).map(({ id }) => id).every((id) => id.startsWith('acks-'))).toBe(true);
  expect((await deployment.commands()).map(({ action }) => action)).toEqual(['pause', 'resume', 'pause', 'kill']);
  expect(analyzer.log()).not.toContain('not relayed');
});

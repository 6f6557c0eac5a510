import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Acknowledgement } from '../../src/domain/record.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { manyDeletions, type Runaway, startRunaway, stateOf } from './runaway.ts';

const SESSION = 'conv-1';
const RULES = manyDeletions('pause', { answerWithin: '10m', acknowledgeWithin: '10m' });

let deployment: Deployment;
let analyzer: Analyzer;
let runaway: Runaway | undefined;
beforeAll(async () => {
  deployment = await deploy({ partitions: 1, rules: RULES });
  analyzer = await deployment.run();
}, 60_000);
afterAll(async () => {
  runaway?.end();
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
  runaway = startRunaway(deployment.flags, SESSION, 150);
  const { heard, exited, pid } = runaway;

  await heard('paused');
  expect(stateOf(pid())).toBe('T');
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
  expect(stateOf(pid())).toBe('T');
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
  expect(stateOf(pid())).toBeUndefined();

  const enforced = () =>
    logged().then((all) => (all as unknown as Acknowledgement[]).filter(({ status }) => status === 'enforced'));
  while ((await enforced()).length < 4) await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await enforced()).map(({ id }) => id).every((id) => id.startsWith('acks-'))).toBe(true);
  expect((await deployment.commands()).map(({ action }) => action)).toEqual(['pause', 'resume', 'pause', 'kill']);
  expect(analyzer.log()).not.toContain('not relayed');
});

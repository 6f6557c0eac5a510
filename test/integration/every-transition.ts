import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readSessionHistory } from '../../src/app/session-history.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { SessionState } from '../../src/domain/session.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { manyDeletions, type Runaway, startRunaway, stateOf } from './runaway.ts';

const SESSION = 'conv-1';
const GRANTED = 5;
const LOOK_EVERY_MS = 200;
const RULES = manyDeletions('pause', {
  answerWithin: '20s',
  reminderBefore: '10s',
  decisionGrace: '2s',
  acknowledgeWithin: '10m',
});

let deployment: Deployment;
let analyzer: Analyzer;
let client: PartitionClient;
let runaway: Runaway | undefined;
beforeAll(async () => {
  deployment = await deploy({ partitions: 1, rules: RULES });
  client = new PartitionClient(deployment.kafka);
  analyzer = await deployment.run();
}, 60_000);
afterAll(async () => {
  runaway?.end();
  await client?.close();
  await deployment?.close();
});

/** The analyzer dies as it stands, and another one begins. */
async function dies(): Promise<void> {
  await analyzer.kill();
  analyzer = await deployment.run();
}

/** What Redis keeps, as soon as it is there by that command. */
async function kept(level: SessionState['level'], command: string): Promise<SessionState> {
  for (;;) {
    const { code, out } = await deployment.cli('show', SESSION, '--kept', ...deployment.flags.slice(-2));
    const state = code === 0 ? (JSON.parse(out) as SessionState) : undefined;
    if (state?.level === level && state.standing?.command?.id === command) return state;
    await sleep(LOOK_EVERY_MS);
  }
}

async function history(): Promise<Finding[]> {
  return (await readSessionHistory(deployment.kafka, deployment.prefix, SESSION, 0)).findings;
}

async function requested(): Promise<Finding> {
  for (;;) {
    const found = (await history()).findLast(({ code }) => code === 'decision_requested');
    if (found !== undefined) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

async function release({ command, view }: Finding): Promise<string> {
  const id = randomUUID();
  const about = { session: SESSION, by: { id: 'lee' }, command: command!, view: view!, grant: { marks: GRANTED } };
  await deployment.decide({ id, kind: 'release', ...about });
  return id;
}

/** What the log holds, in order: ids of deletions, decisions and acknowledgements. */
async function logged(): Promise<{ id?: string; tool?: string; status?: string; command?: string }[]> {
  const records = [...(await deployment.log()).values()].flat();
  return records.map(({ value }) => JSON.parse(Buffer.from(value!).toString()));
}

it('SIGKILL of the analyzer at every transition changes nothing for a runaway process', {
  timeout: 240_000,
}, async () => {
  // Analyzers that die one after the other judge nothing for longer than the dead man of an enforcer has patience.
  runaway = startRunaway(deployment.flags, SESSION, 150, '--dead-man-ms', '600000');
  const { heard, exited, pid } = runaway;
  await heard('paused');
  expect(stateOf(pid())).toBe('T');
  await dies();
  const first = await requested();
  const decision = await release(first);
  await dies();
  await heard('resumed');
  await dies();
  const { command: pause } = await heard('paused');
  expect(stateOf(pid())).toBe('T');
  await dies();
  expect(pause).not.toBe(first.command);
  expect((await kept('paused', pause!)).standing).toMatchObject({ pause: { request: { command: pause } } });
  const { command: kill } = await heard('killed');
  await exited;
  expect(stateOf(pid())).toBeUndefined();
  await dies();
  expect((await kept('killed', kill!)).standing).not.toHaveProperty('pause');
  // The relay died with them and says again what it is not sure to have said.
  const enforced = async () => [
    ...new Set((await logged()).flatMap(({ status, command }) => (status === 'enforced' ? command! : []))),
  ];
  while ((await enforced()).length < 4) await sleep(LOOK_EVERY_MS);
  await deployment.settled();
  expect(await analyzer.stop()).toBe(0);

  const distinct = new Map((await deployment.commands()).map((command) => [command.id, command]));
  const said = [...distinct.values()];
  expect(said.map(({ action }) => action)).toEqual(['pause', 'resume', 'pause', 'kill']);
  // Whatever was on its way counts in the order of the log: the sixth deletion behind the release is the one.
  const log = await logged();
  const granted = log.slice(log.findIndex(({ id }) => id === decision)).filter(({ tool }) => tool === 'delete_email');
  expect(said[2]!.triggerEventId).toBe(granted[GRANTED]!.id);
  expect(await enforced()).toEqual(said.map(({ id }) => id));

  const [wanted] = await deployment.oracle();
  expect([...distinct.keys()].sort()).toEqual([...new Set(wanted!.commands)].sort());
  const stored = await deployment.stored(0);
  expect([stored.sessions, JSON.parse(stored.partition)]).toEqual([wanted!.sessions, JSON.parse(wanted!.partition)]);
});

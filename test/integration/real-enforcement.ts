import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { connectEnforcer, type Enforcer } from '../../src/enforcer/enforcer.ts';
import { deploy } from './deployment.ts';
import { manyDeletions, stateOf } from './runaway.ts';

const RUNS = 20;
const SLOW_MS = 8000;
const RULES = manyDeletions('kill', { acknowledgeWithin: '3s', publishAttempts: 2, enforcers: '[runtime, gateway]' });
/** The last of the agents have a second enforcer, which is sound and waits for its turn. */
const LAYERED = 8;

/** As in the simulation: what fails is what the hands reach, or whether anybody hears. */
const BEHAVIOURS = ['prompt', 'offline', 'slow', 'lying', 'failing', 'duplicating'] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

interface Agent {
  session: string;
  behaviour: Behaviour;
  layered: boolean;
  child: ChildProcess;
}

const deployment = await deploy({ partitions: 4, rules: RULES });
const agents: Agent[] = Array.from({ length: RUNS }, (_, i) => ({
  session: `real-${i}`,
  behaviour: BEHAVIOURS[i % BEHAVIOURS.length]!,
  layered: i >= RUNS - LAYERED,
  child: spawn('sh', ['-c', 'while :; do sleep 1; done'], { stdio: 'ignore', detached: true }),
}));
const enforcers: Enforcer[] = [];
afterAll(async () => {
  for (const agent of agents) if (isAlive(agent)) process.kill(-agent.child.pid!, 'SIGKILL');
  await Promise.all(enforcers.map((enforcer) => enforcer.stop()));
  await deployment.close();
});

function isAlive({ child }: Agent): boolean {
  const state = stateOf(child.pid!);
  return state !== undefined && state !== 'Z';
}

function killNow({ child }: Agent): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** One of the first class fails as its agents say; of the second each kill is done. */
async function connect(name: string, of: 'runtime' | 'gateway', hosted: readonly Agent[]): Promise<void> {
  const [, brokers, , topicPrefix, , keyFile] = deployment.flags as [string, string, string, string, string, string];
  const enforcer = await connectEnforcer({
    ...{ name, class: of, topicPrefix, keyFile, brokers: brokers.split(','), logger: pino({ level: 'silent' }) },
    sessions: () => hosted.map(({ session }) => ({ session })),
    async kill(session) {
      const agent = hosted.find((one) => one.session === session)!;
      if (of === 'gateway') return killNow(agent);
      const { behaviour } = agent;
      if (behaviour === 'lying') return;
      if (behaviour === 'failing') throw new Error('no rights');
      if (behaviour === 'slow') await sleep(SLOW_MS);
      killNow(agent);
    },
  });
  enforcers.push(enforcer);
}

async function findings(): Promise<Finding[]> {
  const client = new PartitionClient(deployment.kafka);
  const found: Finding[] = [];
  const topic = `${deployment.prefix}findings`;
  for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
    found.push(JSON.parse(Buffer.from(record.value!).toString()));
  }
  await client.close();
  return found;
}

it(`${RUNS} real processes on a real Kafka: every kill that is not enforced is found, and people are called`, async () => {
  const analyzer = await deployment.run();
  const ofOne = (...which: Behaviour[]) => agents.filter(({ behaviour }) => which.includes(behaviour));
  await connect('first', 'runtime', ofOne('prompt', 'slow', 'lying', 'failing', 'duplicating'));
  await connect('second', 'runtime', ofOne('duplicating'));
  await connect(
    'third',
    'gateway',
    agents.filter(({ layered }) => layered),
  );
  let events = 0;
  for (let round = 0; round < 25; round++) {
    const living = agents.filter(isAlive);
    await deployment.produce(
      living.map(({ session }) => {
        const id = `e-${++events}`;
        const event = { id, time: new Date().toISOString(), session, agent: { id: 'a' }, tool: 't', outcome: 'ok' };
        return { key: session, value: JSON.stringify({ ...event, action: 'delete', resource: { type: 'm', id } }) };
      }),
    );
    await sleep(1000);
  }
  await deployment.settled();
  const said = await findings();
  const fates = agents.map((agent) => {
    const codes = said.filter(({ session }) => session === agent.session).map(({ code }) => code);
    const called = codes.some((code) => code === 'command_escalated' || code === 'action_after_kill');
    const { session, behaviour, layered } = agent;
    return { session, behaviour, layered, stopped: !isAlive(agent), called, codes };
  });
  expect(fates.filter(({ stopped, called }) => !stopped && !called)).toEqual([]);
  expect(fates.filter(({ behaviour, stopped }) => behaviour === 'prompt' && !stopped)).toEqual([]);
  const sound = fates.filter(({ behaviour }) => behaviour === 'prompt' || behaviour === 'duplicating');
  expect(sound.filter(({ codes }) => codes.includes('command_escalated'))).toEqual([]);
  const unenforced = fates.filter(({ stopped }) => !stopped);
  expect(new Set(unenforced.map(({ behaviour }) => behaviour))).toEqual(new Set(['offline', 'lying', 'failing']));
  // What the first class leaves running the second one stops; who lies is found by what the session does.
  expect(unenforced.filter(({ layered, behaviour }) => layered && behaviour !== 'lying')).toEqual([]);
  const second = fates.filter(
    ({ layered, stopped, codes }) => layered && stopped && codes.includes('command_escalated'),
  );
  expect(new Set(second.map(({ behaviour }) => behaviour))).toContain('offline');
  const figures = `${second.length} stopped by the second class, ${unenforced.length} kills not enforced, 0 not found`;
  console.log(`${RUNS} processes, ${figures}`);
  expect(await analyzer.stop()).toBe(0);
});

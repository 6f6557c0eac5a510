import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { KafkaOutlet } from '../../src/adapters/kafka/outlet.ts';
import { TopicFollower } from '../../src/adapters/kafka/topic-follower.ts';
import { createTopics } from '../../src/adapters/kafka/topics.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { generateKeyPair, storeKeyFile } from '../../src/app/keys.ts';
import type { Command } from '../../src/domain/command.ts';
import type { Level } from '../../src/domain/level.ts';
import { type Acknowledgement, TYPE_PREFIX } from '../../src/domain/record.ts';
import { claimOf } from '../../src/formats/log-record.ts';
import { controlSignatureFault, keyringOf, publicJwkOf, signingKeyOf } from '../../src/formats/signature.ts';
import { command } from '../contracts/outlet.ts';
import { stateOf } from '../integration/runaway.ts';
import { sharedKafka } from '../services/shared.ts';

const { brokers, prefix } = await sharedKafka();
const topicPrefix = `${prefix}.`;
const logger = pino({ level: 'silent' });
const kafka = createKafka({ brokers, clientId: 'test', logger });
const [owner, enforcer, stranger] = [generateKeyPair(['owner']), generateKeyPair(['enforcer']), generateKeyPair()];
const folder = await mkdtemp(join(tmpdir(), 'firebreak-enforcer-'));
await storeKeyFile(join(folder, 'keys.json'), { key: enforcer, trusted: [publicJwkOf(owner)] });
await createTopics(kafka, { topicPrefix, brokers, partitions: 2, replicationFactor: 1, clock: systemClock });

const acknowledged: string[] = [];
let heard = () => {};
const acks = new TopicFollower({
  kafka,
  topics: [{ topic: `${topicPrefix}acks`, from: 'beginning' }],
  clock: systemClock,
  logger,
  onRecord(_topic, _partition, record) {
    const { command: id, status, session } = JSON.parse(Buffer.from(record.value!).toString()) as Acknowledgement;
    const content = { type: `${TYPE_PREFIX}command.acknowledged.v1`, key: record.key!, value: record.value! };
    const fault = controlSignatureFault(content, claimOf(record), ['enforcer'], keyringOf([publicJwkOf(enforcer)]));
    acknowledged.push(fault ?? `${id} ${status}`);
    expect(Buffer.from(record.key!).toString()).toBe(session);
    heard();
  },
});
await acks.start();

function outletOf(key: typeof owner) {
  const signingKey = signingKeyOf(key);
  const options = { topicPrefix, source: '/test', expireAfterMs: 60_000, onMinimalForm: () => {} };
  return new KafkaOutlet({ kafka, clock: systemClock, logger, signingKey, ...options });
}
const analyzer = outletOf(owner);
const forger = outletOf(stranger);

const LEVELS: Record<Command['action'], Level> = { pause: 'paused', resume: 'watch', kill: 'killed' };
const session = 's-1';
const position = (offset: number) => ({ topicId: 't', partition: 0, offset: String(offset) });

function saidBy(outlet: KafkaOutlet, id: string, action: Command['action'], offset: number) {
  return outlet.publish([
    { topic: 'commands', key: session, command: command(id, action, { position: position(offset) }) },
  ]);
}

async function decide(id: string, action: Command['action'], offset: number) {
  await saidBy(analyzer, id, action, offset);
  const verdict = { session, level: LEVELS[action], command: id, rule: 'r', time: 't', position: position(offset) };
  await analyzer.publish([{ topic: 'verdicts', key: session, verdict }]);
}

async function until(status: string): Promise<void> {
  while (!acknowledged.includes(status)) {
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  }
}

const runners: ChildProcess[] = [];
const agents = new Set<number>();
afterAll(async () => {
  for (const runner of runners) runner.kill('SIGKILL');
  for (const pid of agents) if (stateOf(pid) !== undefined) process.kill(-pid, 'SIGKILL');
  await Promise.all([acks.stop(), analyzer.close(), forger.close()]);
  await rm(folder, { recursive: true });
});

function run(...more: string[]) {
  const runner = spawn(
    process.execPath,
    [
      ...['fixtures/enforcer/runner.mjs', '--session', session, '--brokers', brokers.join(',')],
      ...['--topic-prefix', topicPrefix, '--keys', join(folder, 'keys.json'), ...more],
      ...['--', process.execPath, 'fixtures/enforcer/agent.mjs', '1000000', '50'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  runners.push(runner);
  const said: { what: string; pid: number; reason?: string }[] = [];
  const lines = createInterface(runner.stdout!).on('line', (line) => {
    said.push(JSON.parse(line));
    agents.add(said.at(-1)!.pid);
  });
  const heardOf = async (what: string) => {
    for (;;) {
      const found = said.find((one) => one.what === what);
      if (found !== undefined) return said.splice(0, said.indexOf(found) + 1).at(-1)!;
      await once(lines, 'line');
    }
  };
  return { exited: once(runner, 'exit'), heardOf };
}

it('stops a real process, lets it go on, and ends it; forged, repeated and old commands change nothing', async () => {
  const { exited, heardOf } = run();
  const { pid } = await heardOf('resumed');
  expect(stateOf(pid)).not.toBe('T');

  await saidBy(forger, 'forged', 'kill', 99);
  await decide('c1', 'pause', 10);
  expect(await heardOf('paused')).toMatchObject({ command: 'c1', rule: 'r' });
  await until('c1 enforced');
  expect(stateOf(pid)).toBe('T');

  await saidBy(analyzer, 'old', 'resume', 9);
  await decide('c2', 'resume', 20);
  await heardOf('resumed');
  await until('c2 enforced');
  expect(stateOf(pid)).not.toBe('T');

  await decide('c3', 'kill', 30);
  expect((await heardOf('ended')).pid).toBe(pid);
  await exited;
  await until('c3 enforced');
  expect(stateOf(pid)).toBeUndefined();
  const answered = ['c1', 'c2', 'c3'].flatMap((id) => [`${id} received`, `${id} enforced`]);
  expect(acknowledged.filter((one) => one !== 'old received')).toEqual(answered);
});

it('finds the kill that was said before it began, from the verdicts', async () => {
  acknowledged.length = 0;
  const { exited, heardOf } = run();
  expect(await heardOf('killed')).toMatchObject({ command: 'c3' });
  await exited;
  await until('c3 enforced');
});

it('pauses when nobody judges, and goes on when somebody does again', async () => {
  const other = run('--session', 's-2', '--dead-man-ms', '1500');
  const { pid, reason } = await other.heardOf('paused');
  expect(reason).toMatch(/nobody has judged partition \d for \d s/);
  expect(stateOf(pid)).toBe('T');
  const lease = { partitions: 2, processedThrough: 't', position: position(1) };
  const both = [0, 1].map((partition) => ({
    topic: 'leases' as const,
    key: String(partition),
    lease: { ...lease, partition },
  }));
  await forger.publish(both);
  await analyzer.publish(both);
  expect((await other.heardOf('resumed')).pid).toBe(pid);
  expect(stateOf(pid)).not.toBe('T');
});

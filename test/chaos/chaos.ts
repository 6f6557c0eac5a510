// `npm run chaos -- --minutes N --seed S`: real brokers, real Redis, real analyzers, and what can happen to them.
import { setTimeout as sleep } from 'node:timers/promises';
import { readOptions, refuse } from '../command-line.ts';
import { mulberry } from '../integration/traffic.ts';
import { Deployment } from './deployment.ts';
import type { Disks } from './disk.ts';
import type { Fault, Random } from './fault.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { happen } from './happen.ts';
import type { Topology } from './redis-nodes.ts';
import { report, type Told } from './report.ts';
import { BENIGN, SCENARIOS } from './scenarios.ts';
import { Stand } from './stand.ts';

const USAGE = `npm run chaos -- [--minutes N] [--seed S] [--redis sentinel|cluster] [--scenario NAME|all [--sessions N]] [--list]
  --minutes   of mixed faults, 10 without it
  --seed      what happens, and when; 1 without it
  --redis     primary, replica and 3 sentinels (without it), or a cluster of 3
  --scenario  one row of the failure matrix instead, or all of them; may be repeated
  --sessions  of the scenario benign, 250000 without it
  --list      the names of the rows`;

/** How often each fault of the mixed run happens. Those that take a minute to get over happen rarely. */
const WEIGHTS: Partial<Record<FaultName, number>> = {
  'kill-analyzer': 6,
  'stall-analyzer': 4,
  rebalance: 3,
  policy: 4,
  burst: 3,
  'block-loop': 0.3,
  'brokers-down': 0.3,
  'redis-down': 0.5,
  'redis-oom-long': 0.3,
  'freeze-analyzer': 0.7,
  'kafka-hole': 0.7,
  'leader-change': 0.7,
  'failover-losing-writes': 1.5,
};
/** After so many it must be back at the end of the log. */
const FAULTS_IN_A_ROW = 6;

async function main(): Promise<number> {
  const values = readOptions(USAGE, {
    minutes: { type: 'string', default: '10' },
    sessions: { type: 'string', default: '250000' },
    seed: { type: 'string', default: '1' },
    redis: { type: 'string', default: 'sentinel' },
    scenario: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
  });
  if (values.list) {
    for (const [name, { about }] of SCENARIOS) console.log(`${name.padEnd(20)}${about}`);
    return 0;
  }
  const seed = Number(values.seed);
  const minutes = Number(values.minutes);
  const sessions = Number(values.sessions);
  if (!Number.isSafeInteger(seed) || !(minutes > 0) || !(Number.isSafeInteger(sessions) && sessions > 0))
    refuse('--seed is a whole number, --minutes a positive one, --sessions both');
  const topology = topologyOf(values.redis);
  const wanted = values.scenario.includes('all')
    ? [...SCENARIOS.keys()].filter((name) => name !== BENIGN)
    : values.scenario;
  for (const name of wanted) if (!SCENARIOS.has(name)) refuse(`--scenario: there is no ${name}; --list names them`);
  const told: Told = { say, seed, sessions, random: mulberry(seed) };
  if (wanted.length === 0) {
    const again = `--minutes ${minutes} --redis ${topology} --seed ${seed}`;
    return (await onStand(topology, 'shared', again, (stand) => mixed(stand, minutes, told))) === 0 ? 0 : 1;
  }
  let failed = 0;
  for (const disks of ['shared', 'own'] as const) {
    const names = wanted.filter((name) => {
      const { topologies, disks: needed = 'shared' } = SCENARIOS.get(name)!;
      return topologies.includes(topology) && needed === disks;
    });
    if (names.length === 0) continue;
    const again = `${names.map((name) => `--scenario ${name} `).join('')}--redis ${topology} --seed ${seed}`;
    failed += await onStand(topology, disks, again, (stand) => rows(stand, names, told));
  }
  return failed === 0 ? 0 : 1;
}

/** Answers what the work answers: how much is wrong. What the servers said is kept then. */
async function onStand(
  topology: Topology,
  disks: Disks,
  again: string,
  work: (stand: Stand) => Promise<number>,
): Promise<number> {
  const stand = await Stand.start(topology, disks);
  say(`3 brokers and Redis (${topology}) run${disks === 'own' ? ', each with a disk of its own' : ''}`);
  let faults = 1;
  try {
    faults = await work(stand);
  } finally {
    await stand.stop(faults === 0 ? 'remove' : 'keep');
  }
  if (faults > 0) say(`what they said is in ${stand.folder}; again: npm run chaos -- ${again}`);
  return faults;
}

/** Answers how many rows failed. */
async function rows(stand: Stand, names: readonly string[], told: Told): Promise<number> {
  let failed = 0;
  for (const name of names) {
    const { about, run: play } = SCENARIOS.get(name)!;
    say(`${name}: ${about}`);
    const faults = await play(stand, { ...told, random: mulberry(told.seed) }).catch((error: Error) => [
      error.stack ?? error.message,
    ]);
    for (const fault of faults) say(`  FAULT ${fault}`);
    say(`  ${faults.length === 0 ? 'as it should be' : 'FAILED'}`);
    if (faults.length > 0) failed++;
  }
  say(`${names.length} scenarios, ${failed} failed`);
  return failed;
}

/** Answers how much is wrong at the end. */
async function mixed(stand: Stand, minutes: number, told: Told): Promise<number> {
  const { seed } = told;
  const deployment = await Deployment.start(stand, { name: 'mixed', seed, analyzers: 3 });
  const untilMs = performance.now() + minutes * 60_000;
  const counts = new Map<FaultName, number>();
  const recoveriesMs: number[] = [];
  let wrong: string[];
  try {
    while (performance.now() < untilMs) {
      for (let inRow = 0; inRow < FAULTS_IN_A_ROW && performance.now() < untilMs; inRow++) {
        const name = draw(told.random, stand.redis.topology);
        await happen(deployment, name, told);
        counts.set(name, (counts.get(name) ?? 0) + 1);
        await sleep(told.random() * 2000);
      }
      const ms = await deployment.recovered();
      recoveriesMs.push(ms);
      say(`  at the end of the log ${(ms / 1000).toFixed(1)} s after the last of them`);
    }
    wrong = report(await deployment.verify(), told);
  } catch (error) {
    wrong = [(error as Error).stack ?? String(error)];
  } finally {
    await deployment.close();
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (const [name, count] of [...counts].sort()) say(`  ${String(count).padStart(4)} ${name}`);
  for (const { name, how, reason } of deployment.fleet.ends) say(`  ${name} ended by itself with ${how}: ${reason}`);
  const sorted = recoveriesMs.sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => ((ms ?? 0) / 1000).toFixed(1);
  say(`  back after ${seconds(sorted[sorted.length >> 1])} s in the median, ${seconds(sorted.at(-1))} s at most`);
  for (const fault of wrong) say(`  FAULT ${fault}`);
  say(`${total} faults in ${minutes} minutes, seed ${seed}: ${wrong.length === 0 ? '0 diverged' : 'DIVERGED'}`);
  return wrong.length;
}

function draw(random: Random, topology: Topology): FaultName {
  const names = (Object.keys(FAULTS) as FaultName[]).filter((name) => {
    const { topologies, disks } = FAULTS[name] as Fault;
    return topologies.includes(topology) && disks === undefined;
  });
  const weightOf = (name: FaultName) => WEIGHTS[name] ?? 1;
  let left = random() * names.reduce((sum, name) => sum + weightOf(name), 0);
  for (const name of names) {
    left -= weightOf(name);
    if (left < 0) return name;
  }
  return names[0]!;
}

function topologyOf(text: string): Topology {
  if (text !== 'sentinel' && text !== 'cluster') refuse(`--redis: found "${text}", allowed: sentinel, cluster`);
  return text;
}

const startedMs = performance.now();

function say(line: string): void {
  const at = Math.floor((performance.now() - startedMs) / 1000);
  console.log(`${String(Math.floor(at / 60)).padStart(3)}:${String(at % 60).padStart(2, '0')} ${line}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).stack);
  process.exitCode = 1;
}
process.exit();

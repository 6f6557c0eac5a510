// `npm run test:long -- --part NAME`: what takes too long for every run. Appends a line per run to results/long.ndjson.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';

const PARTS = {
  compatibility: {
    about: 'every Kafka version that the README names: consume, produce, admin, group',
    args: ['--config', 'test/services/compatibility.config.ts'],
  },
  simulate: {
    about: 'a million schedules of faults; in parts with --seed FIRST --schedules N',
    command: ['node', 'test/simulation/start.mjs', '--schedules', '1000000'],
  },
  'redis-differential': {
    about: '100,000 sequences of calls on the scripts of a real Redis and on the store of the simulation',
    args: ['test/properties/state-store.test.ts', '-t', 'scripts answer'],
    env: { FIREBREAK_RANDOM_RUNS: '100000' },
  },
};

const at = process.argv.indexOf('--part');
const name = at < 0 ? undefined : process.argv[at + 1];
const part = Object.hasOwn(PARTS, name ?? '') ? PARTS[name] : undefined;
if (part === undefined) {
  const parts = Object.entries(PARTS).map(([one, { about }]) => `  ${one.padEnd(20)}${about}`);
  console.error(`npm run test:long -- --part NAME; found "${name ?? 'no part'}". Parts:\n${parts.join('\n')}`);
  process.exit(2);
}
const startedMs = Date.now();
const [command, ...args] = [...(part.command ?? ['npx', 'vitest', 'run', ...part.args]), ...process.argv.slice(at + 2)];
const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...part.env } });
mkdirSync('results', { recursive: true });
const line = {
  part: name,
  args,
  startedAt: new Date(startedMs).toISOString(),
  seconds: (Date.now() - startedMs) / 1000,
  status,
};
appendFileSync('results/long.ndjson', `${JSON.stringify(line)}\n`);
process.exit(status ?? 1);

// npm run bench: measures what is named, or all of it.
import { spawnSync } from 'node:child_process';
import { build } from '../simulation/build.mjs';

const { helpIfAsked, refuse } = await import(build('test/command-line.ts', 'command-line'));

const BENCHES = {
  throughput: 'actions a second of one analyzer, as a ratio to a consumer that only parses',
  backtest: 'events a second of firebreak backtest',
  learn: 'events a second of firebreak learn; whole, and killed and resumed',
  'stop-latency': 'from an action to a stopped process',
  metrics: 'what the metrics cost',
};
const USAGE = `npm run bench -- [NAME …]
${Object.entries(BENCHES)
  .map(([name, about]) => `  ${name.padEnd(14)}${about}`)
  .join('\n')}
all of them without a name. In the environment: BENCH_EVENTS and BENCH_ROUNDS (not of stop-latency), BENCH_SESSIONS and
BENCH_NODE_OPTIONS of throughput, BENCH_RATE and BENCH_STOPS of stop-latency`;

const names = process.argv.slice(2);
helpIfAsked(USAGE, names);
for (const name of names) {
  if (!Object.hasOwn(BENCHES, name)) refuse(`found "${name}", allowed: ${Object.keys(BENCHES).join(', ')}`);
}
const files = names.map((name) => `test/bench/${name}.ts`);
const args = ['vitest', 'run', '--config', 'test/bench/vitest.config.ts', ...files];
process.exitCode = spawnSync('npx', args, { stdio: 'inherit' }).status ?? 1;

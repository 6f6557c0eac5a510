// `npm run test:long -- --part NAME [...]`: what takes too long for every run. Appends lines to results/long.ndjson.
// A part with `inputs` takes [--count N] [--from SEED] and runs in slices, one seed and one line each; without --from it
// goes on behind the last seed that is recorded there. Every other part hands its arguments on to its command.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { build } from './simulation/build.mjs';

const { helpIfAsked, refuse } = await import(build('test/command-line.ts', 'command-line'));

const RESULTS = 'results/long.ndjson';
/** `inputs`: how many in all, and in one slice. */
const PARTS = {
  compatibility: {
    about: 'every Kafka version that the README names: consume, produce, admin, group',
    args: ['--config', 'test/services/compatibility.config.ts'],
  },
  alerts: {
    about: 'a real Prometheus on a real analyzer: faults are injected, the alerts fire and end',
    args: ['--config', 'test/ops/faults.config.ts'],
  },
  pictures: {
    about: 'four minutes in which promises break, and the dashboards as Chromium draws them: results/pictures',
    args: ['--config', 'test/ops/pictures.config.ts'],
  },
  simulate: {
    about: 'a million schedules of faults; in parts with --seed FIRST --schedules N',
    command: ['node', 'test/simulation/start.mjs', '--schedules', '1000000'],
  },
  'redis-differential': {
    about: 'sequences of calls on the scripts of a real Redis and on the store of the simulation',
    args: ['test/properties/state-store.test.ts', '-t', 'scripts answer'],
    inputs: { all: 100_000, slice: 5000 },
  },
  enforcement: {
    about: 'enforcers that are offline, slow, lying, failing, unheard, duplicating: every unenforced kill is found',
    args: ['test/simulation/enforcement.test.ts'],
    inputs: { all: 1000, slice: 250 },
  },
  'real-enforcement': {
    about: 'the same on a real Kafka with twenty real processes',
    args: ['--config', 'test/integration/real-enforcement.config.ts'],
  },
  'killed-processes': {
    about:
      'SIGKILL of one of two analyzers, at every transition of a session, of firebreak learn, of who copies to crowds; servers that are away',
    args: [
      ...['--config', 'test/integration/long.config.ts', 'integration/kill.ts', 'integration/away.ts'],
      ...['integration/decisions.ts', 'learn-killed', 'every-transition', 'crowds-killed'],
    ],
  },
  'command-lines': {
    about:
      'learn, backtest and regroup as people call them; every command of npm run, its options, and its end by a signal',
    args: [
      ...['--config', 'test/integration/long.config.ts', 'command-lines', 'simulation/ended.ts'],
      ...['cli/learn.ts', 'cli/backtest.ts', 'cli/regroup.ts'],
    ],
  },
  'rolling-restart': {
    about: 'three analyzers replaced one after another under load: nothing lost, nothing invented, readiness honest',
    args: ['--config', 'test/integration/long.config.ts', 'rolling-restart'],
  },
  benign: {
    about: 'a million harmless sessions under the faults of npm run chaos: none is paused or killed',
    command: ['npm', 'run', 'chaos', '--', '--scenario', 'benign'],
    inputs: { all: 1_000_000, slice: 250_000 },
    options: (seed, inputs) => ['--seed', `${seed}`, '--sessions', `${inputs}`],
  },
  'fuzz-rules': {
    about: 'mutated rule files, as many expressions, random bytes: no crash, no escape, none over 250 ms of CPU',
    args: ['test/fuzz/rules.test.ts'],
    inputs: { all: 1_000_000, slice: 10_000 },
  },
  'fuzz-decoder': {
    about: 'mutated records of every type: a record or a refusal, none over 250 ms, the process does not grow',
    args: ['test/fuzz/decoder.test.ts'],
    inputs: { all: 10_000_000, slice: 500_000 },
  },
  'fuzz-codec': {
    about: 'mutated states of sessions, with checksums that fit: a session or a refusal, as above',
    args: ['test/fuzz/session-codec.test.ts'],
    inputs: { all: 1_000_000, slice: 100_000 },
  },
  'session-flood': {
    about: '5,000,000 sessions on a real Redis (3 GB): memory stays in its budget, risky ones are killed all the same',
    args: ['test/app/session-flood.test.ts'],
    inputs: { all: 5_000_000, slice: 5_000_000 },
  },
  'differential-engine': {
    about: 'random streams under the policies of the properties, the engine against the naive one',
    args: ['test/properties/step.test.ts', '-t', 'whole history'],
    inputs: { all: 100_000, slice: 250 },
  },
  'differential-expressions': {
    about: 'random expressions against mathjs',
    args: ['test/properties/expression.test.ts', '-t', 'same value'],
    inputs: { all: 100_000, slice: 50_000 },
  },
};

const USAGE = `npm run test:long -- --part NAME [...]
${Object.entries(PARTS)
  .map(([name, { about }]) => `  ${name.padEnd(26)}${about}`)
  .join('\n')}
Of random inputs: [--count N] how many, [--from SEED] the first; without it behind the last seed that passed. Other parts hand
what follows on to their command.`;

function count(option, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) refuse(`--${option}: found "${text}", allowed: a whole number from 1`);
  return Number(text);
}

function slicesOf(args) {
  const options = { count: { type: 'string' }, from: { type: 'string' } };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return refuse(`${error.message.split('\n')[0]}; of this part: --count N, --from SEED`);
  }
}

function ofVitest(seed, inputs) {
  const env = { FIREBREAK_RANDOM_RUNS: String(inputs), FIREBREAK_RANDOM_SEED: String(seed) };
  return { env, options: ['--testTimeout', '86400000', '--reporter', 'dot'] };
}

/** The recorded slices of a part that passed. */
function passed(part) {
  const lines = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8').split('\n').filter(Boolean) : [];
  return lines.map((line) => JSON.parse(line)).filter((line) => line.part === part && line.status === 0);
}

function run(part, { command = ['npx', 'vitest', 'run'], args: own = [], env = {} }, more, slice = {}) {
  const startedMs = Date.now();
  const [program, ...args] = [...command, ...own, ...more];
  const { status } = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  mkdirSync('results', { recursive: true });
  const startedAt = new Date(startedMs).toISOString();
  const line = { part, ...slice, args, startedAt, seconds: (Date.now() - startedMs) / 1000, status };
  appendFileSync(RESULTS, `${JSON.stringify(line)}\n`);
  return status ?? 1;
}

const [option, name = '', ...more] = process.argv.slice(2);
if (option === undefined) refuse(USAGE);
helpIfAsked(USAGE, [option]);
if (option !== '--part') refuse(`found "${option}", allowed: --part NAME; --help names them`);
const part = Object.hasOwn(PARTS, name) ? PARTS[name] : refuse(`--part: found "${name}"; --help names them`);
if (part.inputs === undefined) process.exit(run(name, part, more));

const values = slicesOf(more);
const all = values.count === undefined ? part.inputs.all : count('count', values.count);
const recorded = passed(name).map((slice) => slice.seed);
let seed = values.from === undefined ? Math.max(0, ...recorded) + 1 : count('from', values.from);
for (let done = 0; done < all; seed++) {
  const inputs = Math.min(part.inputs.slice, all - done);
  const { env, options } = part.options ? { options: part.options(seed, inputs) } : ofVitest(seed, inputs);
  if (run(name, { ...part, env }, options, { seed, inputs }) !== 0) {
    console.error(`${name}: seed ${seed} fails; again with --from ${seed} --count ${inputs}`);
    process.exit(1);
  }
  done += inputs;
  const total = passed(name).reduce((sum, slice) => sum + slice.inputs, 0);
  console.log(`${name}: ${done} of ${all} inputs; ${total} over all runs, next seed ${seed + 1}`);
}

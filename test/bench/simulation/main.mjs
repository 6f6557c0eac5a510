/**
 * What the evidence of a session detects in simulated worlds, beside what others do, at the same rate of false kills.
 *
 * Worlds, attacks and comparators are those of the scoring reference, section 11, made anew. The recommended design is the
 * engine's own code, driven where a session's marks enter it: matching and the packed state are left out.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { build } from '../../simulation/build.mjs';
import { agentsText } from './agents-report.mjs';
import { reportPage } from './page.mjs';
import { reportText } from './report.mjs';
import { WORLDS } from './world.mjs';

const SIZES = {
  small: { learn: 4000, calibrate: 4000, test: 4000, attack: 60 },
  full: { learn: 8000, calibrate: 10_000, test: 12_000, attack: 200 },
};

/** In agents, of ten sessions each. */
const AGENT_SIZES = {
  small: { learn: 300, calibrate: 400, test: 400, attack: 20 },
  full: { learn: 1500, calibrate: 2000, test: 2000, attack: 80 },
};

const { readOptions, refuse } = await import(build('test/command-line.ts', 'command-line'));

const USAGE = `npm run bench:simulation -- [--seeds A-B] [--worlds NAME,…|all] [--size small|full] [--promising | --agents] [--workers N]
                            [--json FILE] [--html FILE]
  --seeds      one, or from one to another; 1-5 without it
  --worlds     main without it; of ${Object.keys(WORLDS).join(', ')}
  --size       how many sessions: small is for a look; full without it
  --promising  only what the scoring reference names as promising, beside the recommended design
  --agents     what a second unit of evidence gives and costs, the agent beside its sessions; not drawn
  --workers    threads, one per core without it
  --json       writes what was found
  --html       writes it as a page with curves`;

const options = readOptions(USAGE, {
  seeds: { type: 'string', default: '1-5' },
  worlds: { type: 'string', default: 'main' },
  size: { type: 'string', default: 'full' },
  promising: { type: 'boolean', default: false },
  agents: { type: 'boolean', default: false },
  workers: { type: 'string', default: String(availableParallelism()) },
  json: { type: 'string' },
  html: { type: 'string' },
});
const [from, to = from] = options.seeds.split('-').map(Number);
const worlds = options.worlds === 'all' ? Object.keys(WORLDS) : options.worlds.split(',');
const sizes = (options.agents ? AGENT_SIZES : SIZES)[options.size];
const unknown = worlds.filter((name) => WORLDS[name] === undefined);
if (!(from >= 1 && to >= from)) refuse(`--seeds: found "${options.seeds}", allowed: 1 or 1-5`);
if (sizes === undefined) refuse(`--size: found "${options.size}", allowed: ${Object.keys(SIZES).join(', ')}`);
if (unknown.length > 0) refuse(`--worlds: found "${unknown}", allowed: all, or of ${Object.keys(WORLDS).join(', ')}`);
if (!(Number(options.workers) >= 1)) refuse(`--workers: found "${options.workers}", allowed: 1 or more`);
if (options.agents && options.promising) refuse('--agents and --promising exclude each other');
if (options.agents && options.html !== undefined) refuse('--html draws no agents: leave it out, or --agents');

const tasks = worlds.flatMap((world) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    world,
    seed: from + i,
    sizes,
    methods: options.agents ? 'agents' : options.promising ? 'promising' : 'all',
  })),
);
const results = [];
const waiting = [...tasks];
const startedMs = performance.now();

async function work() {
  for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
    results.push(await inWorker(task));
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    process.stderr.write(`${results.length} of ${tasks.length} seeds, ${seconds} s\n`);
  }
}

function inWorker(task) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seed.mjs', import.meta.url), { workerData: { simulation: task } });
    worker.on('message', ({ result }) => result && resolve(result));
    worker.once('error', reject);
  });
}

await Promise.all(Array.from({ length: Math.min(Number(options.workers), tasks.length) }, work));
results.sort((a, b) => worlds.indexOf(a.world) - worlds.indexOf(b.world) || a.seed - b.seed);
process.stdout.write(options.agents ? agentsText(results) : reportText(results));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results)}\n`);
if (options.html !== undefined) writeFileSync(options.html, reportPage(results));

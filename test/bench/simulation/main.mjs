/**
 * What the evidence of a session detects in simulated worlds, beside what others do, at the same rate of false kills.
 *
 *   npm run bench:simulation -- [--seeds 1-5] [--worlds main,tight,…] [--size small|full] [--promising | --agents] [--workers N]
 *                               [--json FILE] [--html FILE]
 *
 * Worlds, attacks and comparators are those of the scoring reference, section 11, made anew. The recommended design is the
 * engine's own code, driven where a session's marks enter it: matching and the packed state are left out.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
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

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-5' },
    worlds: { type: 'string', default: 'main' },
    size: { type: 'string', default: 'full' },
    promising: { type: 'boolean', default: false },
    agents: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'string' },
    html: { type: 'string' },
  },
});
const [from, to = from] = options.seeds.split('-').map(Number);
const worlds = options.worlds === 'all' ? Object.keys(WORLDS) : options.worlds.split(',');
const sizes = (options.agents ? AGENT_SIZES : SIZES)[options.size];
const unknown = worlds.filter((name) => WORLDS[name] === undefined);
if (!(from >= 1 && to >= from) || sizes === undefined || unknown.length > 0) {
  console.error(
    `--seeds: 1 or 1-5; --size: ${Object.keys(SIZES).join(', ')}; --worlds: all, or of ${Object.keys(WORLDS).join(', ')}`,
  );
  process.exit(2);
}

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
if (options.html !== undefined && !options.agents) writeFileSync(options.html, reportPage(results));

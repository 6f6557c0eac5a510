// `npm run simulate -- --schedules N --seed S`: random schedules of faults against the real code and an oracle.
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Progress } from '../../src/cli/progress.ts';
import type { Answer } from './worker.ts';

const USAGE = `npm run simulate -- [--schedules N] [--seed S] [--workers W] [--ledger FILE]
  --schedules  how many, 10000 without it; with --ledger: how many in total, over all runs
  --seed       of the first; the others follow. 1 without it
  --workers    processes, one per core without it
  --ledger     adds this run to the totals in FILE, and begins behind the seeds that are counted there`;
/** Schedules that a worker is sent at once: so many are run twice at most after a run was ended. */
const AT_ONCE = 100;
const SHOWN_MAX = 10;

/** What all runs of one ledger came to, from its first seed on without a hole. */
interface Totals {
  firstSeed: number;
  schedules: number;
  diverged: number;
  lost: number;
  extra: number;
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      ledger: { type: 'string' },
    },
  });
  const { schedules, seed, workers, ledger } = values;
  return {
    schedules: count('schedules', schedules),
    seed: count('seed', seed),
    workers: count('workers', workers),
    ledger,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name}: found "${text}", allowed: 1 or more`);
  return value;
}

function readLedger(file: string | undefined, firstSeed: number): Totals {
  const none = { firstSeed, schedules: 0, diverged: 0, lost: 0, extra: 0 };
  if (file === undefined) return none;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return none;
  }
}

async function simulate({ schedules, seed, workers, ledger }: ReturnType<typeof readArguments>): Promise<number> {
  const totals = readLedger(ledger, seed);
  const end = totals.firstSeed + schedules;
  const done = new Map<number, Answer>();
  const failed: Answer['failed'] = [];
  const progress = new Progress(process.stderr, systemClock);
  const startedMs = systemClock.monotonicMs();
  const before = totals.schedules;
  let next = totals.firstSeed + totals.schedules;

  /** Answers come in any order; the totals grow without a hole, so that a later run can go on behind them. */
  const add = (answer: Answer) => {
    done.set(answer.from, answer);
    for (let first = done.get(totals.firstSeed + totals.schedules); first; ) {
      done.delete(first.from);
      totals.schedules += first.count;
      for (const one of first.failed) {
        failed.push(one);
        for (const kind of ['diverged', 'lost', 'extra'] as const)
          if (one.faults.some((fault) => fault.kind === kind)) totals[kind]++;
      }
      first = done.get(totals.firstSeed + totals.schedules);
    }
    if (ledger !== undefined) {
      mkdirSync(dirname(ledger), { recursive: true });
      writeFileSync(ledger, `${JSON.stringify(totals)}\n`);
    }
    const perSecond = ((totals.schedules - before) * 1000) / (systemClock.monotonicMs() - startedMs);
    progress.at(totals.schedules / schedules, () => `${totals.schedules} schedules, ${perSecond.toFixed(0)}/s`);
  };

  await Promise.all(Array.from({ length: workers }, work));
  progress.done();

  async function work(): Promise<void> {
    if (next >= end) return;
    const worker = fork(new URL('./worker.js', import.meta.url)); // as built: see start.mjs
    const ended = new Promise<never>((_resolve, reject) => {
      worker.once('exit', (code, signal) => reject(new Error(`a worker ended: ${code ?? signal}`)));
    });
    while (next < end && failed.length === 0) {
      const order = { from: next, count: Math.min(AT_ONCE, end - next) };
      next += order.count;
      const answered = new Promise<Answer>((resolve) => worker.once('message', resolve));
      worker.send(order);
      add(await Promise.race([answered, ended]));
    }
    ended.catch(() => undefined); // it ends because it is told to
    worker.kill();
  }

  for (const { seed: one, faults } of failed.slice(0, 1)) {
    console.log(`seed ${one} fails; npm run simulate -- --schedules 1 --seed ${one}`);
    for (const { kind, what } of faults.slice(0, SHOWN_MAX)) console.log(`  ${kind}: ${what}`);
  }
  const { schedules: all, diverged, lost, extra } = totals;
  console.log(`${all} schedules, ${diverged} diverged, ${lost} lost, ${extra} extra`);
  return diverged + lost + extra === 0 ? 0 : 1;
}

try {
  process.exitCode = await simulate(readArguments());
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}

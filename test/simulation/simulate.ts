// `npm run simulate -- --schedules N --seed S`: random schedules of faults against the real code and an oracle.
import { fork } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Progress } from '../../src/cli/progress.ts';
import { readOptions, refuse } from '../command-line.ts';
import type { Fault } from './verdict.ts';
import type { Answer, Order } from './worker.ts';

const USAGE = `npm run simulate -- [--schedules N] [--seed S] [--workers W]
  --schedules  how many, 10000 without it
  --seed       of the first; the others follow. 1 without it
  --workers    processes, one per core without it`;
/** Schedules that a worker is sent at once. */
const AT_ONCE = 100;
const SHOWN_MAX = 10;
/** What shells add to the number of a signal. */
const SIGNALLED = 128;
const KINDS = ['diverged', 'lost', 'extra'] as const satisfies readonly Fault['kind'][];

function readArguments() {
  const { schedules, seed, workers } = readOptions(USAGE, {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  });
  return { schedules: count('schedules', schedules), seed: count('seed', seed), workers: count('workers', workers) };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) refuse(`--${name}: found "${text}", allowed: 1 or more`);
  return value;
}

/**
 * Fulfilled with the exit code. After the first failure no more is begun, and what runs is brought to its end; after a
 * signal it is not, nor counted.
 */
async function simulate({ schedules, seed, workers }: ReturnType<typeof readArguments>): Promise<number> {
  const interrupted = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const failed: Answer['failed'] = [];
  const progress = new Progress(process.stderr, systemClock);
  const startedMs = systemClock.monotonicMs();
  let next = seed;
  let done = 0;
  let signal: NodeJS.Signals | undefined;

  function* orders(): Iterable<Order> {
    while (next < seed + schedules && failed.length === 0) {
      const order = { from: next, count: Math.min(AT_ONCE, seed + schedules - next) };
      next += order.count;
      yield order;
    }
  }

  async function work(): Promise<void> {
    const worker = fork(new URL('./worker.js', import.meta.url)); // as built: see start.mjs
    const ended = new Promise<never>((_resolve, reject) => {
      worker.once('exit', (code, signal) => reject(new Error(`a worker ended: ${code ?? signal}`)));
    });
    ended.catch(() => undefined); // matters while an answer is waited for
    for (const order of orders()) {
      const answered = new Promise<Answer>((resolve) => worker.once('message', resolve));
      worker.send(order);
      const answer = await Promise.race([answered, ended, interrupted]);
      if (typeof answer === 'string') {
        signal = answer;
        break;
      }
      done += answer.count;
      failed.push(...answer.failed);
      const perSecond = (done * 1000) / (systemClock.monotonicMs() - startedMs);
      progress.at(done / schedules, () => `${done} schedules, ${perSecond.toFixed(0)}/s`);
    }
    worker.kill('SIGKILL');
  }

  await Promise.all(Array.from({ length: workers }, work));
  progress.done();
  const first = failed.sort((a, b) => a.seed - b.seed)[0];
  if (first !== undefined) {
    console.log(`seed ${first.seed} fails; again: npm run simulate -- --schedules 1 --seed ${first.seed}`);
    for (const { kind, what } of first.faults.slice(0, SHOWN_MAX)) console.log(`  ${kind}: ${what}`);
  }
  const counts = KINDS.map((kind) => {
    return `${failed.filter(({ faults }) => faults.some((fault) => fault.kind === kind)).length} ${kind}`;
  });
  const rest = signal === undefined ? '' : `; ${signal} before the other ${schedules - done}`;
  console.log(`${done} schedules, ${counts.join(', ')}${rest}`);
  if (failed.length > 0) return 1;
  return signal === undefined ? 0 : SIGNALLED + constants.signals[signal];
}

try {
  process.exitCode = await simulate(readArguments());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

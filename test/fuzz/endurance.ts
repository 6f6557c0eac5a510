import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { runsOf } from '../properties/runs.ts';

/** Of one input; beyond it the loop of a process would stand still for others to notice. */
const CPU_MS_MAX = 250;
/** What the collector may keep for itself. */
const GROWTH_MAX = 96 * 1024 * 1024;
/** By then everything is compiled, and every cache is as large as it gets. */
const WARM_AT = 0.25;

/** Runs `one` so often: none may hang, and the process must not grow. Both are looked at in the long run only. */
export function endure(usual: number, one: (nth: number) => void): void {
  const { numRuns } = runsOf({ numRuns: usual });
  const long = numRuns > usual;
  let warm = Number.POSITIVE_INFINITY;
  for (let nth = 0; nth < numRuns; nth++) {
    const beganMs = performance.now();
    one(nth);
    if (long && performance.now() - beganMs > CPU_MS_MAX) expect(cpuMsOf(() => one(nth))).toBeLessThan(CPU_MS_MAX);
    if (long && nth === Math.floor(numRuns * WARM_AT)) warm = collectedRss();
  }
  if (long) expect(collectedRss() - warm).toBeLessThan(GROWTH_MAX);
}

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Without what nobody holds any more: when V8 collects that depends on how busy the machine is. */
function collectedRss(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage.rss();
}

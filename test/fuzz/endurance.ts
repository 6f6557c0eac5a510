import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { runsOf } from '../properties/runs.ts';

/** Of one input; beyond it the loop of a process would stand still for others to notice. */
const CPU_MS_MAX = 250;
/** Of what is held after a collection: sixteen bytes of each of 500,000 inputs. */
const HELD_GROWTH_MAX = 8 * 1024 * 1024;
/** Of resident memory, which the machine takes and gives as it likes. */
const RSS_GROWTH_MAX = 256 * 1024 * 1024;
/** By then everything is compiled, and every cache is as large as it gets. */
const WARM_AT = 0.25;

/** Runs `one` so often: none may hang, and the process must not grow. Both are looked at in the long run only. */
export function endure(usual: number, one: (nth: number) => void): void {
  const { numRuns } = runsOf({ numRuns: usual });
  const long = numRuns > usual;
  let warm: Footprint | undefined;
  for (let nth = 0; nth < numRuns; nth++) {
    const beganMs = performance.now();
    one(nth);
    if (long && performance.now() - beganMs > CPU_MS_MAX) expect(cpuMsOf(() => one(nth))).toBeLessThan(CPU_MS_MAX);
    if (long && nth === Math.floor(numRuns * WARM_AT)) warm = footprint();
  }
  if (warm === undefined) return;
  const { held, rss } = footprint();
  expect(held - warm.held).toBeLessThan(HELD_GROWTH_MAX);
  expect(rss - warm.rss).toBeLessThan(RSS_GROWTH_MAX);
}

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

interface Footprint {
  held: number;
  rss: number;
}

/** Without what nobody holds any more: when V8 collects that depends on how busy the machine is. */
function footprint(): Footprint {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

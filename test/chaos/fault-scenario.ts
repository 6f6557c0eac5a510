import { setTimeout as sleep } from 'node:timers/promises';
import type { RawRecord } from '../../src/domain/record.ts';
import { Deployment } from './deployment.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { happen } from './happen.ts';
import { countOf } from './redis-nodes.ts';
import { report, type Told } from './report.ts';
import type { Stand } from './stand.ts';

export interface FaultScenario {
  about: string;
  fault: FaultName;
  times?: number;
  /** Before the fault no action comes any more. */
  idle?: true;
  /** While it lasts nobody judges, and every lease must grow old. */
  blind?: true;
  /** What must have been counted meanwhile: otherwise the fault met nobody. */
  met?: readonly Count[];
}

/** Something that servers count since they were started, or write into their logs. */
export interface Count {
  name: string;
  of(stand: Stand): Promise<number>;
}

/** By INFO, such as `errorstat_OOM` or `cmdstat_asking`. */
export function redisCounts(name: string): Count {
  return { name, of: ({ redis }) => countOf(redis, name) };
}

export const BROKERS_FOUND_FULL: Count = {
  name: 'lines of brokers about a full disk',
  of: async ({ brokers }) => brokers.logged(/No space left on device/g),
};

/** Until every partition has met the fault. */
const GROWS_BLIND_WITHIN_MS = 6000;
/** A lease is renewed each second; a busy machine takes longer. */
const RENEWED_WITHIN_MS = 30_000;

export async function playFault(
  name: string,
  { fault, times = 1, idle, blind, met = [] }: FaultScenario,
  stand: Stand,
  told: Told,
): Promise<string[]> {
  const deployment = await Deployment.start(stand, { name, seed: told.seed });
  const countAll = () => Promise.all(met.map((count) => count.of(stand)));
  const before = await countAll();
  const faults: string[] = [];
  try {
    for (let time = 0; time < times; time++) {
      await sleep(2000 + told.random() * 1000);
      if (idle) {
        await deployment.stopPump();
        await deployment.recovered();
      }
      let beganMs = 0;
      await happen(deployment, fault, told, async () => {
        beganMs = Date.now();
        const ms = await deployment.recovered();
        told.say(`    at the end of the log ${(ms / 1000).toFixed(1)} s after it began`);
      });
      await deployment.recovered();
      if (blind) faults.push(...(await renewedBlindly(deployment, beganMs, beganMs + FAULTS[fault].lastsS[0] * 1000)));
    }
    for (const { name: who, how, reason } of deployment.fleet.ends)
      told.say(`    ${who} ended by itself with ${how}: ${reason}`);
    const after = await countAll();
    for (const [at, { name: what }] of met.entries()) {
      told.say(`    ${what}: ${after[at]! - before[at]!}`);
      if (after[at] === before[at]) faults.push(`${what}: none, so the fault met nobody`);
    }
    return [...faults, ...report(await deployment.verify(), told)];
  } finally {
    await deployment.close();
  }
}

/** Leases that were renewed while nobody can have judged; and after it one must be renewed. */
async function renewedBlindly(deployment: Deployment, beganMs: number, endedMs: number): Promise<string[]> {
  const blindMs = beganMs + GROWS_BLIND_WITHIN_MS;
  const all = async () => [...(await deployment.leases()).values()].flat();
  const isRenewed = (leases: readonly RawRecord[]) => leases.some(({ appendMs }) => appendMs > endedMs);
  const waitsUntilMs = Date.now() + RENEWED_WITHIN_MS;
  let leases = await all();
  while (!isRenewed(leases) && Date.now() < waitsUntilMs) leases = await all();
  const within = leases.filter(({ appendMs }) => appendMs > blindMs && appendMs < endedMs);
  const faults = within.map(({ key, appendMs }) => {
    return `the lease of partition ${key} was renewed ${((appendMs - beganMs) / 1000).toFixed(1)} s after it began`;
  });
  return isRenewed(leases) ? faults : [...faults, 'no lease is renewed after it'];
}

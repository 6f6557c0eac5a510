import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { FAULTS, type FaultName } from './faults.ts';
import type { Told } from './report.ts';

/** Injects, waits, mends; `meanwhile` begins with the fault. */
export async function happen(
  deployment: Deployment,
  name: FaultName,
  { say, random }: Told,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { lastsS, inject } = FAULTS[name];
  const beganMs = performance.now();
  const { what, mend } = (await inject(deployment, random)) as { what: string; mend?: () => Promise<void> | void };
  const other = meanwhile();
  other.catch(() => undefined); // told below
  const [least, most] = lastsS;
  await sleep((least + random() * (most - least)) * 1000);
  const lasted = (performance.now() - beganMs) / 1000;
  say(`  ${name}: ${what}${mend === undefined ? '' : `, for ${lasted.toFixed(1)} s`}`);
  await mend?.();
  await other;
}

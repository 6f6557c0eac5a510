import type { Deployment } from './deployment.ts';

export const BOTH = ['sentinel', 'cluster'] as const;
export const SENTINEL = ['sentinel'] as const;
export const INSTANT = [0, 0] as const;

/** Number in [0, 1). */
export type Random = () => number;

/** One thing that happens to a deployment. `inject` answers what to print; `mend` is called after a while, once. */
export interface Fault {
  /** How long it lasts, s. */
  lastsS: readonly [least: number, most: number];
  topologies: readonly ('sentinel' | 'cluster')[];
  /** Needs servers whose disks can be full. */
  disks?: 'own';
  inject(deployment: Deployment, random: Random): Promise<{ what: string; mend?: () => Promise<void> | void }>;
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

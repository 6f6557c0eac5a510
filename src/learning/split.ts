import { createHash } from 'node:crypto';

export const PARTS = ['parameters', 'maps', 'thresholds'] as const;
export type Part = (typeof PARTS)[number];

/** Shares of the units that learn parameters and tails; what is left certifies thresholds. */
export interface SplitShares {
  parameters: number;
  maps: number;
}

/**
 * The part that a unit belongs to, by its hash:
 *
 *   0 ├──── parameters ────┼── maps ──┼──── thresholds ────┤ 1
 *
 * The same unit always falls to the same part, whoever learns and in whatever order.
 */
export function partOf(unit: string, { parameters, maps }: SplitShares): Part {
  const place = createHash('sha256').update(`split ${unit}`).digest().readUInt32BE(0) / 2 ** 32;
  if (place < parameters) return 'parameters';
  return place < parameters + maps ? 'maps' : 'thresholds';
}

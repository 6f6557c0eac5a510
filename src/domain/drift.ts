import { z } from 'zod';

const sums = z.array(z.number()).length(4);

/** How a partition watches whether finished sessions are as those that certify the thresholds of a baseline. */
export const DriftState = z.strictObject({
  baseline: z.string().describe('Hash of the baseline.'),
  sinceMs: z.int().nonnegative().describe('Clock of the partition at which it came into force.'),
  sessions: z.int().nonnegative().describe('Finished sessions of this run.'),
  high: sums.describe('ln of the wealth of four bets that sessions reach further than they should.'),
  low: sums.describe('And that they reach less far.'),
  drifted: z.boolean().describe('A run found drift: until another baseline, evidence pauses where it would kill.'),
});
export type DriftState = z.infer<typeof DriftState>;

export function driftOf(baseline: string, sinceMs: number): DriftState {
  return { baseline, sinceMs, sessions: 0, high: [0, 0, 0, 0], low: [0, 0, 0, 0], drifted: false };
}

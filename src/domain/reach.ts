import { z } from 'zod';

/** So many of the largest scores are kept one by one; a budget of 1 in 10,000 looks no deeper in 20 million sessions. */
const TOP_MAX = 2048;
/** And so many blocks of what is below them. */
const BLOCKS_MAX = 2048;

const falling = z.array(z.number().nonnegative());

/** The largest evidence of each session that certifies thresholds. Of the lowest, blocks of one size by their largest. */
export const Reach = z
  .strictObject({
    n: z.int().nonnegative().describe('Sessions.'),
    top: falling.max(TOP_MAX).describe('The largest scores, falling, nats.'),
    block: z.int().positive().describe('Sessions in each block.'),
    blocks: falling.max(BLOCKS_MAX).describe('The largest score of each block below the top, falling.'),
  })
  .describe('How far benign sessions reach: by it thresholds for another budget are certified, and drift is seen.');
export type Reach = z.infer<typeof Reach>;

/**
 * How far benign sessions reach, small enough to be a part of the policy:
 *
 *   scores, falling   9.1  8.7  8.2 … 3.4 │ 3.3 3.3 3.2 │ 3.2 3.1 3.1 │ …
 *                     └──── top, exact ───┘ └─ 3.3 ─────┘ └─ 3.2 ─────┘     blocks of one size, by their largest
 *
 * A threshold below the top is at most one block too high.
 */
export function reachOf(scores: readonly number[]): Reach {
  const falling = [...scores].sort((a, b) => b - a);
  const n = falling.length;
  const block = Math.max(1, Math.ceil((n - TOP_MAX) / BLOCKS_MAX));
  const top = falling.slice(0, TOP_MAX);
  const blocks: number[] = [];
  for (let at = TOP_MAX; at < n; at += block) blocks.push(falling[at]!);
  return { n, top, block, blocks };
}

/** One number for each session again, falling. */
export function scoresOf({ n, top, block, blocks }: Reach): number[] {
  const rest = blocks.flatMap((largest) => new Array<number>(block).fill(largest));
  return [...top, ...rest].slice(0, n);
}

import { z } from 'zod';

/** How far a session has gone, in rising order. `killed` is absorbing. */
export const LEVELS = ['clear', 'watch', 'paused', 'killed'] as const;
export const Level = z.enum(LEVELS);
export type Level = z.infer<typeof Level>;

/** The conditions that a rule may state, in rising order, and the level that each one asks for. */
export const CONDITIONS = ['watch', 'pause', 'kill'] as const;
export type Condition = (typeof CONDITIONS)[number];
export const LEVEL_OF: Record<Condition, Level> = { watch: 'watch', pause: 'paused', kill: 'killed' };

export function levelRank(level: Level): number {
  return LEVELS.indexOf(level);
}

import { z } from 'zod';

export const MatchValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1),
]);
const MatchMap = z.record(z.string(), MatchValue).describe('field or field|modifier: value; all of them must hold');
export const Match = z
  .union([MatchMap, z.array(MatchMap).min(1)])
  .describe('A map (all must hold) or a list of maps (any may hold). A list as value means any of its values.');
export type Match = z.infer<typeof Match>;
export type MatchMap = z.infer<typeof MatchMap>;

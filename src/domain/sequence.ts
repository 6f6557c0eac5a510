import { z } from 'zod';
import { Duration } from './duration.ts';

export const SEQUENCE_STEPS_MAX = 8;
/** What the runs of all steps of a sequence come to at most. */
export const SEQUENCE_RUNS_MAX = 32;
const SAME_MAX = 4;

/**
 * The measures `sequence` and `temporal` (a sequence without order). `match` is the form of their matches: as a policy
 * holds them, or as authors write them, with the names of lists and macros.
 */
export function stepMeasures<Match extends z.ZodType>(match: Match) {
  const name = z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/, 'a name is lower-case letters, digits and dashes, a letter first')
    .optional()
    .describe('What the step is, for people.');
  const runs = z
    .int()
    .min(1)
    .max(SEQUENCE_RUNS_MAX)
    .optional()
    .describe('So many actions that match, one after the other; 1 when absent.');
  const common = {
    same: z
      .union([z.string(), z.array(z.string()).min(1).max(SAME_MAX)])
      .optional()
      .describe('Fields that are equal in all steps: resource.id, or a list of fields.'),
    maxspan: Duration.optional().describe('All steps lie within so long; the window of the rule when absent.'),
    until: match.optional().describe('An action that ends what is unfinished.'),
  };
  return [
    z.strictObject({
      sequence: z
        .array(
          z.strictObject({
            name,
            match: match.optional().describe('The action that takes the step.'),
            missing: match.optional().describe('Instead of match: the action that must not come here.'),
            runs,
            within: Duration.optional().describe(
              'Each action of the step comes within so long of the one before it; a missing one does not.',
            ),
          }),
        )
        .min(2)
        .max(SEQUENCE_STEPS_MAX)
        .describe('The steps, in their order.'),
      gap: Duration.optional().describe('`within` of every step that has none of its own.'),
      ...common,
    }),
    z.strictObject({
      temporal: z
        .array(z.strictObject({ name, match: match.describe('The action that takes the step.'), runs }))
        .min(2)
        .max(SEQUENCE_STEPS_MAX)
        .describe('The steps, in any order.'),
      ...common,
    }),
  ] as const;
}

import { z } from 'zod';
import { CalendarDate } from './calendar-date.ts';
import { Match } from './match.ts';
import { Tag } from './tag.ts';

/** What an intent may do, in rising order: learn, write findings, stop sessions. */
export const INTENT_MODES = ['discover', 'shadow', 'enforce'] as const;
export type IntentMode = (typeof INTENT_MODES)[number];

/** How a matching action becomes a mark between 0 and 1. */
export const MARK_KINDS = ['count', 'distinct', 'novel', 'again', 'elsewhere', 'amount'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/**
 * What an agent may be up to, as marks on its actions. No threshold: how much is too much is learned per cohort, and
 * all intents share one budget of false kills.
 */
export const Intent = z
  .strictObject({
    kind: z.literal('intent'),
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,63}$/, 'an id is 2 to 64 lower-case letters, digits and dashes, a letter first')
      .describe('Stable name, never reused; rules and intents share the names.'),
    title: z.string().min(1).max(200).describe('One line for people.'),
    description: z.string().max(4000).optional().describe('What the intent is, and what it does not see.'),
    severity: z.enum(['info', 'low', 'medium', 'high', 'critical']).default('high'),
    mode: z
      .enum(INTENT_MODES)
      .default('enforce')
      .describe('discover: learned, says nothing; shadow: findings only; enforce: findings and commands.'),
    shadowFrom: CalendarDate.optional().describe('Until this day, UTC, it only discovers, whatever `mode` says.'),
    enforceFrom: CalendarDate.optional().describe(
      'Until this day, UTC, it only writes findings, whatever `mode` says.',
    ),
    tags: z.array(Tag).default([]),
    match: Match.describe('Which actions are marked.'),
    after: Match.optional().describe('Only marks after an action of the same session that matches this.'),
    afterNovel: z
      .string()
      .optional()
      .describe('A field: the action before counts only with a value of it that the cohort was never seen with.'),
    afterFirst: z
      .boolean()
      .optional()
      .describe('true: the action before is the first of the session that matches `after`, or there is none.'),
    mark: z
      .string()
      .default('count')
      .describe(
        'count: each action marks 1. distinct(field): 1 for a value that is new in the session. novel(field): 1 for a ' +
          'value that is new in the session and that the cohort was never seen with. again(field): 1 for a value that ' +
          '`afterNovel` found new in an action before. elsewhere(field): 1 by another tool than the action before, or ' +
          'where the cohort was seen with all the values. amount(field): the value as a share of `cap`.',
      ),
    cap: z
      .number()
      .positive()
      .optional()
      .describe('Of amount(field): the value that marks 1; what is above is for a rule.'),
    weight: z
      .strictObject({
        by: z.string(),
        values: z.record(z.string(), z.number().min(0).max(1)),
        other: z.number().min(0).max(1),
      })
      .optional()
      .describe('Factor of the mark by the text of a field; `other` for every other text and for none.'),
    share: z.number().positive().max(1000).default(1).describe('Of the budget, relative to the other intents.'),
    runbook: z.string().max(4000).optional(),
  })
  .describe('Firebreak intent');
export type Intent = z.infer<typeof Intent>;

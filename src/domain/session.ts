import { z } from 'zod';
import { EvidenceStep } from './command.ts';
import { Grant, Order } from './decision.ts';
import { DecisionRequest, RequestedCondition } from './finding.ts';
import { Level } from './level.ts';
import { ACKNOWLEDGEMENTS } from './record.ts';

const instant = z.string().describe('RFC 3339.');

/** What stands between a session and people. Times are append times. */
export const StandingState = z.strictObject({
  pause: z
    .strictObject({
      rule: z.string(),
      view: z.string().describe('Of the request in force; empty: nobody was asked yet.'),
      request: DecisionRequest,
      remind: instant.optional().describe('When people are reminded.'),
      kill: instant.optional().describe('When no answer is a no, grace included.'),
    })
    .optional()
    .describe('The request that it waits on.'),
  release: z
    .strictObject({
      command: z.string().describe('Id of the resume.'),
      grant: Grant,
      marksUsed: z.number().nonnegative(),
      until: instant.optional(),
      conditions: z.array(RequestedCondition).describe('Suspended, with their scores at the release.'),
    })
    .optional()
    .describe('The grant in use.'),
  command: z
    .strictObject({
      id: z.string(),
      caused: instant,
      published: instant.optional(),
      attempts: z.int().positive(),
      classes: z.int().positive().describe('So many of the policy’s `enforcers` are to act.'),
      acknowledged: z.array(z.enum(ACKNOWLEDGEMENTS)).describe('By the last class that was reached.'),
      due: instant.optional().describe('When it is published again or escalated; absent: nothing is waited for.'),
      actionsAgainst: z.int().nonnegative().describe('Actions since, although it was to stop.'),
    })
    .optional()
    .describe('The last one that was said of it.'),
  order: z.string().optional().describe('Scope of the standing order that holds it.'),
});
export type StandingState = z.infer<typeof StandingState>;

/** What is known of one session, for people and programs that ask: `firebreak show`. The engine keeps it packed. */
export const SessionState = z
  .strictObject({
    session: z.string(),
    level: Level,
    agent: z.strictObject({ id: z.string(), role: z.string().optional() }),
    principal: z.string().optional(),
    tenant: z.string().optional(),
    policy: z.string().describe('Hash of the policy under which it was judged last.'),
    lastOffset: z.int().describe('Offset of the last record that touched it.'),
    lastAppend: instant,
    begun: instant.describe('Append time of the first record of its present life.'),
    clock: instant.describe('Running maximum of the times of its events: windows end here.'),
    actions: z.int().nonnegative().describe('Actions of its present life.'),
    principals: z.int().nonnegative(),
    degraded: z.boolean().describe('Rebuilt from a part of the log: it may be paused, not killed.'),
    standing: StandingState.optional(),
    orders: z.array(Order).describe('Standing orders that are about it. It comes under them at its next action.'),
    filters: z.array(
      z.strictObject({
        id: z.string().describe('Names the `match` of the rules that count here.'),
        passed: z.int().nonnegative().describe('Actions of this life that passed it and count in a measure.'),
        measures: z.array(
          z.strictObject({
            id: z.string(),
            withinMs: z.int().positive().optional().describe('Absent: over the life of the session.'),
            total: z.number(),
            parts: z.int().nonnegative().describe('Stored parts of the window.'),
          }),
        ),
        steps: z.array(EvidenceStep).describe('The newest of these actions.'),
      }),
    ),
  })
  .describe('Firebreak session state');
export type SessionState = z.infer<typeof SessionState>;

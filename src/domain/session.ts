import { z } from 'zod';
import { EvidenceStep } from './command.ts';
import { Level } from './level.ts';

const instant = z.string().describe('RFC 3339.');

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

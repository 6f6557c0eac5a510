import { z } from 'zod';
import { Actor, EvidenceStep, Position } from './command.ts';
import { Level } from './level.ts';

/** Why a finding exists. A closed set: it is a metric label. */
export const FINDING_CODES = [
  'level_changed',
  'shadow_hit',
  'bound_lifted',
  'rule_failed',
  'action_after_kill',
  'event_id_reused',
  'invalid_affected',
  'time_out_of_bounds',
  'session_too_wide',
  'clock_jumped',
  'policy_activated',
] as const;
export const FindingCode = z.enum(FINDING_CODES);
export type FindingCode = z.infer<typeof FindingCode>;

/** Something that people or dashboards should know. Key of the record: the session, or the partition without one. */
export const Finding = z
  .strictObject({
    id: z.string(),
    code: FindingCode,
    time: z.string(),
    position: Position,
    policyHash: z.string(),
    reason: z.string(),
    session: z.string().optional(),
    ...Actor,
    agent: Actor.agent.optional(),
    triggerEventId: z.string().optional(),
    level: z.strictObject({ from: Level, to: Level }).optional(),
    rule: z.string().optional(),
    exceptions: z
      .array(z.string())
      .optional()
      .describe('Names of the exceptions that lifted a bound; `level.to` is what the rule would have done.'),
    severity: z.enum(['info', 'low', 'medium', 'high', 'critical']).optional(),
    score: z.number().optional(),
    threshold: z.number().optional(),
    measures: z.record(z.string(), z.number()).optional(),
    baseline: z.record(z.string(), z.number()).optional(),
    evidence: z.array(EvidenceStep).optional(),
    evidenceOmitted: z.int().nonnegative().optional(),
  })
  .describe('Firebreak finding');
export type Finding = z.infer<typeof Finding>;

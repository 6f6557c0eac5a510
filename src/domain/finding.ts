import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { Actor, EvidenceStep, Position, Reasoning } from './command.ts';
import { DECISION_KINDS, DecisionRefusal, Grant, OrderScope, Person } from './decision.ts';
import { Standby } from './enforcer-class.ts';
import { Level } from './level.ts';

/** Why a finding exists. A closed set: it is a metric label. */
export const FINDING_CODES = [
  'level_changed',
  'shadow_hit',
  'bound_lifted',
  'rule_failed',
  'action_after_kill',
  'action_while_paused',
  'event_id_reused',
  'invalid_affected',
  'time_out_of_bounds',
  'session_too_wide',
  'sessions_crowded',
  'clock_jumped',
  'policy_activated',
  'baseline_drifted',
  'decision_requested',
  'decision_due',
  'decision_reminder',
  'decision_overdue',
  'decision_accepted',
  'decision_refused',
  'order_in_force',
  'order_lifted',
  'command_unacknowledged',
  'command_escalated',
] as const;
export const FindingCode = z.enum(FINDING_CODES);
export type FindingCode = z.infer<typeof FindingCode>;

/** One pause condition that a release would suspend. */
export const RequestedCondition = z.strictObject({
  rule: z.string().describe('Id of the rule or intent; `firebreak:decision` where a person paused.'),
  condition: z.enum(['pause', 'kill']).describe('kill: held at pause, because certainty was missing.'),
  score: z.number(),
  threshold: z.number(),
  reason: z.string().optional().describe('One sentence for a person, where the condition holds at this very record.'),
});
export type RequestedCondition = z.infer<typeof RequestedCondition>;

/** What a paused session asks people for: the same in the request, the reminder and the answer. */
export const DecisionRequest = z.strictObject({
  command: z.string().describe('Id of the pause. An answer names it.'),
  conditions: z.array(RequestedCondition).describe('Only these a release suspends; all else stays in force.'),
  conditionsOmitted: z
    .int()
    .nonnegative()
    .describe(
      'At least so many further conditions hold: a release suspends none of them, and the session pauses again for them.',
    ),
  answerWithinMs: z
    .int()
    .positive()
    .optional()
    .describe('From the publication of the pause on; then the session is killed. Absent: it waits without end.'),
  answerUntil: z.string().optional().describe('The end of that time, once the publication is in the log.'),
  approvals: z.int().positive().describe('People who must agree to a release.'),
  approvedBy: z.array(z.string()).describe('Those who have.'),
  grantBounds: z
    .array(z.enum(['marks', 'points', 'minutes', 'targets']))
    .describe('What a grant may name; at least one of marks, points and minutes.'),
});
export type DecisionRequest = z.infer<typeof DecisionRequest>;

/** A decision as the answer to it names it. */
export const AnsweredDecision = z.strictObject({
  id: z.string(),
  kind: z.enum(DECISION_KINDS),
  by: Person,
  reason: z.string().optional(),
  command: z.string().optional(),
  view: z.string().optional(),
  scope: OrderScope.optional(),
  grant: Grant.optional(),
});
export type AnsweredDecision = z.infer<typeof AnsweredDecision>;

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
    cohort: Reasoning.cohort,
    evidence: z.array(EvidenceStep).optional(),
    evidenceOmitted: z.int().nonnegative().optional(),
    command: z.string().optional().describe('Id of the command that it is about.'),
    attempt: z.int().positive().optional().describe('How often that command was published.'),
    standby: Standby,
    count: z
      .int()
      .positive()
      .optional()
      .describe('Actions so far against the level, for action_while_paused and _after_kill.'),
    request: DecisionRequest.optional(),
    view: z
      .string()
      .optional()
      .describe('Of decision_requested: SHA-256 of its canonical JSON without this field. Else: the view in force.'),
    decision: AnsweredDecision.optional(),
    refusal: DecisionRefusal.optional().describe('Why the decision changed nothing.'),
    scope: z.string().optional().describe('Of an order: `tenant:corp`.'),
  })
  .describe('Firebreak finding');
export type Finding = z.infer<typeof Finding>;

/** What a person sees of a request, as a digest: `sha256:` and the SHA-256 of its canonical JSON without `view`. */
export function viewOf({ view: _, ...seen }: Finding): string {
  return `sha256:${createHash('sha256').update(canonicalJson(seen)).digest('hex')}`;
}

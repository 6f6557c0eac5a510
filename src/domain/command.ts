import { z } from 'zod';
import { Grant, Person } from './decision.ts';
import { Standby } from './enforcer-class.ts';

/** Where in the log a decision was caused. `offset` is text, as in every JSON that leaves the process. */
export const Position = z.strictObject({
  topicId: z.string(),
  partition: z.int().nonnegative(),
  offset: z.string(),
});
export type Position = z.infer<typeof Position>;

export const EvidenceStep = z.strictObject({
  eventId: z.string(),
  time: z.string(),
  tool: z.string(),
  resource: z.string().optional(),
  contribution: z.number().describe('What this step added to the measure of the rule.'),
});
export type EvidenceStep = z.infer<typeof EvidenceStep>;

/** Who acted, for whom: the same fields in commands and findings. */
export const Actor = {
  agent: z.strictObject({ id: z.string(), role: z.string().optional(), version: z.string().optional() }),
  principal: z.strictObject({ id: z.string(), type: z.string().optional() }).optional(),
  delegation: z.array(z.string()).optional(),
  tenant: z.string().optional(),
};

/** In the place of a rule, which can have no such id: a person, nobody in time, a standing order. */
export const CAUSES = ['firebreak:decision', 'firebreak:no-answer', 'firebreak:order'] as const;
export type Cause = (typeof CAUSES)[number];

/** Why: the rule, the numbers and the steps. */
export const Reasoning = {
  rule: z.string().describe('Id of the rule or intent, or one of CAUSES where neither decided.'),
  score: z.number().describe('Value of the decisive measure expression.'),
  threshold: z.number().describe('What it was compared with.'),
  reason: z.string().describe('One sentence for a person.'),
  measures: z.record(z.string(), z.number()),
  baseline: z.record(z.string(), z.number()).describe('The baseline numbers used.'),
  cohort: z
    .string()
    .optional()
    .describe('The cohort that they were learned of; empty: all sessions; absent: nothing was learned.'),
  evidence: z.array(EvidenceStep),
  evidenceOmitted: z.int().nonnegative().describe('At least so many further steps contributed.'),
};

/**
 * A request to enforcers, and the line that `replay --out` writes. Key of the record: the session.
 * The id derives from what caused the command, so a replay repeats it. A kill never expires.
 */
export const Command = z
  .strictObject({
    id: z.string(),
    action: z.enum(['pause', 'resume', 'kill']),
    session: z.string().optional(),
    scope: z
      .string()
      .optional()
      .describe('Instead of a session: an order for all of an agent, a principal or a tenant, such as `tenant:corp`.'),
    ...Actor,
    agent: Actor.agent.optional().describe('Absent where a scope is meant that is no agent.'),
    triggerEventId: z.string().describe('The event or the decision that caused it.'),
    time: z.string().describe('Append time of the record that caused it.'),
    ...Reasoning,
    by: Person.optional().describe('Who decided it, where a person did.'),
    grant: Grant.optional().describe('Of a resume: how far the session may go.'),
    standby: Standby,
    policyHash: z.string(),
    position: Position,
    signature: z.string().optional().describe('Ed25519 over RFC 8785 canonical JSON without this field.'),
  })
  .describe('Firebreak command');
export type Command = z.infer<typeof Command>;

const SHORT_REASON_MAX = 200;

/** The same id and the same order to act, without what can be long: for a command that has to be said once more. */
export function shortForm({ signature: _, delegation: __, grant: ___, cohort: ____, ...command }: Command): Command {
  const { agent, principal, by, evidence, evidenceOmitted } = command;
  return {
    ...command,
    ...(agent === undefined ? {} : { agent: { id: agent.id } }),
    ...(principal === undefined ? {} : { principal: { id: principal.id } }),
    ...(by === undefined ? {} : { by: { id: by.id } }),
    reason: command.reason.slice(0, SHORT_REASON_MAX),
    measures: {},
    baseline: {},
    evidence: [],
    evidenceOmitted: evidenceOmitted + evidence.length,
  };
}

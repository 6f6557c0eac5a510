import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { Command, Position } from './command.ts';
import { ACTIONS, OUTCOMES } from './event.ts';
import { Finding, type FindingCode } from './finding.ts';
import { ACKNOWLEDGEMENTS } from './record.ts';

/** Findings that belong to the trail. The others are about data and rules, not about what was done with a session. */
export const AUDITED_FINDINGS: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'level_changed',
  'action_after_kill',
  'action_while_paused',
  'clock_jumped',
  'policy_activated',
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
]);

/** The action that caused an entry: who asked for what, what it tried and what it got. */
export const AuditedAction = z.strictObject({
  eventId: z.string(),
  time: z.string(),
  tool: z.string(),
  toolServer: z.string().optional(),
  action: z.enum(ACTIONS),
  resource: z.string().optional(),
  outcome: z.enum(OUTCOMES).describe('What the attempt got.'),
  prompt: z.string().optional().describe('Reference to what was asked.'),
  principal: z.string().optional().describe('Who initiated the original query.'),
  delegation: z.array(z.string()).optional().describe('Through whom, outermost actor first.'),
  purpose: z.string().optional(),
  approval: z
    .strictObject({ required: z.boolean().optional(), status: z.string().optional(), approver: z.string().optional() })
    .optional()
    .describe('What the platform itself says of an approval.'),
});
export type AuditedAction = z.infer<typeof AuditedAction>;

/**
 * One entry of `firebreak.audit`. Key: `fb:PARTITION`. The entries of one partition are one hash chain, in the order of
 * `index`; a repeated entry has the same bytes. A rebuild from the middle of the log cannot know the last hash: it
 * begins another chain, which `chain` tells apart.
 */
export const AuditEntry = z
  .strictObject({
    chain: z.string().describe('Offset of the record that caused the first entry of this chain.'),
    index: z.int().nonnegative().describe('Rises by one.'),
    previous: z.string().describe('Hash of the entry before it; empty for the first.'),
    time: z.string().describe('Append time of the record that caused it.'),
    position: Position,
    session: z.string().optional(),
    action: AuditedAction.optional().describe('What caused it, where an action did.'),
    finding: Finding.optional().describe('What was said, whole: of a request it is what the approver saw.'),
    command: Command.optional().describe('What was asked of enforcers, without its signature.'),
    published: z
      .strictObject({
        command: z.string(),
        detectToPublishMs: z
          .int()
          .describe('From the record that caused the command to the log knowing that it is out.'),
      })
      .optional(),
    acknowledged: z
      .strictObject({
        id: z.string(),
        command: z.string(),
        status: z.enum(ACKNOWLEDGEMENTS),
        enforcer: z.string(),
        class: z.string().optional(),
        reason: z.string().optional(),
        publishToAcknowledgeMs: z.int().optional().describe('Of the first `enforced` of a command.'),
        detectToLastActionMs: z
          .int()
          .optional()
          .describe('From the cause of the command to the last action of the session that came before this.'),
      })
      .optional(),
    hash: z.string().describe('`sha256:` and the SHA-256 of the canonical JSON of the entry without this field.'),
  })
  .describe('Firebreak audit entry');
export type AuditEntry = z.infer<typeof AuditEntry>;

/** The hash that an entry must carry. */
export function auditHashOf({ hash: _, ...entry }: Omit<AuditEntry, 'hash'> & { hash?: string }): string {
  return `sha256:${createHash('sha256').update(canonicalJson(entry)).digest('hex')}`;
}

import { z } from 'zod';
import { parseInstant, RFC3339 } from './instant.ts';

/** Longest accepted strings, in UTF-16 units. A longer one refuses the event: it is data, not a name. */
export const NAME_MAX = 256;
export const TEXT_MAX = 2048;
export const TARGETS_MAX = 256;
export const DELEGATION_MAX = 16;
export const ATTRIBUTES_MAX = 64;
export const AFFECTED_MAX = 1_000_000_000;
/** Largest action record, in bytes. Control records may be larger. */
export const ACTION_BYTES_MAX = 64 * 1024;

export const ACTIONS = [
  'read',
  'list',
  'secret_read',
  'create',
  'update',
  'delete',
  'send',
  'pay',
  'admin',
  'auth',
  'execute',
  'other',
] as const;
export const OUTCOMES = ['ok', 'error', 'denied', 'unknown'] as const;

const name = z.string().min(1).max(NAME_MAX);
const label = z.string().max(NAME_MAX);
const text = z.string().max(TEXT_MAX);
/** A refund is negative. It adds nothing: no step may take risk back. */
const quantity = z.number();

/**
 * One attempted step of one agent session, as gateways and ingest write it to `firebreak.actions`.
 * Attempt and outcome are separate facts: only `outcome` says whether the step took effect. Unknown fields are ignored.
 */
export const ActionEvent = z
  .looseObject({
    id: name.describe('Unique; the same id always means the same event. Deduplicated per session.'),
    time: z
      .string()
      .regex(RFC3339, 'an RFC 3339 instant')
      .refine((value) => Number.isFinite(parseInstant(value)), 'an RFC 3339 instant')
      .describe('When the step happened, RFC 3339.'),
    source: label.optional().describe('Who wrote the event, if `seq` rises per source.'),
    seq: z.int().nonnegative().optional().describe('Rising number per source: exact deduplication.'),
    origin: z
      .looseObject({ log: name, partition: z.int().nonnegative(), offset: z.int().nonnegative() })
      .optional()
      .describe(
        'Of a copy: where the event stands in the log that it was copied from, in the order of which copies come.',
      ),
    session: name.describe('The session that is judged as a whole; also the Kafka key.'),
    sessionSource: label.optional().describe('How ingest found the session.'),
    rootSession: label.optional().describe('The session that spawned this one, if it is a sub-agent.'),
    agent: z
      .looseObject({ id: name, role: label.optional(), name: label.optional(), version: label.optional() })
      .describe('The acting agent.'),
    task: label.optional().describe('The kind of work; (tenant, role, task) is the cohort of the baseline.'),
    principal: z
      .looseObject({ id: name, type: label.optional() })
      .optional()
      .describe('Who initiated the original query.'),
    delegation: z.array(label).max(DELEGATION_MAX).optional().describe('RFC 8693 act chain, outermost actor first.'),
    tenant: label.optional(),
    tool: label.describe('Tool name.'),
    toolServer: label.optional().describe('MCP server or API service that offers the tool.'),
    action: z.enum(ACTIONS),
    resource: z
      .looseObject({ type: label.optional(), id: text.optional(), sensitivity: label.optional() })
      .optional()
      .describe('What the step touches.'),
    outcome: z.enum(OUTCOMES).optional().describe('What the attempt got; absent means unknown.'),
    targets: z
      .array(text)
      .max(TARGETS_MAX)
      .optional()
      .describe('All targets of a bulk call; absent means [resource.id].'),
    affected: z
      .unknown()
      .optional()
      .describe('Objects touched, 1 to 1e9. Any other value counts 1 and the event is flagged.'),
    usage: z.looseObject({ tokens: quantity.optional(), costUsd: quantity.optional() }).optional(),
    amount: quantity.optional(),
    currency: label.optional().describe('ISO 4217.'),
    bytes: quantity.optional(),
    rows: quantity.optional(),
    approval: z
      .looseObject({ required: z.boolean().optional(), status: label.optional(), approver: label.optional() })
      .optional(),
    purpose: label.optional().describe('Declared purpose of a bulk job.'),
    argsDigest: label.optional().describe('Digest of the arguments: recognises a retry.'),
    trace: z.looseObject({ traceparent: label.optional() }).optional(),
    prompt: z.looseObject({ ref: label.optional() }).optional().describe('Reference to the prompt, never its text.'),
    attributes: z
      .record(z.string(), z.union([text, z.number(), z.boolean(), z.null()]))
      .refine((map) => Object.keys(map).length <= ATTRIBUTES_MAX, `at most ${ATTRIBUTES_MAX} attributes`)
      .optional()
      .describe('Flat scalars; rules may match on them.'),
  })
  .describe('Canonical action event');

export type ActionEvent = z.infer<typeof ActionEvent>;
export type Action = ActionEvent['action'];

/** Ids that producers send when they have none: every stranger's session would be judged as one. */
const PLACEHOLDER_SESSIONS: ReadonlySet<string> = new Set([
  'default',
  'unknown',
  'none',
  'null',
  'undefined',
  'session',
  '-',
  '0',
]);

const PLACEHOLDER_LENGTH_MAX = Math.max(...[...PLACEHOLDER_SESSIONS].map(({ length }) => length));

export function isPlaceholderSession(session: string): boolean {
  const first = session.charCodeAt(0);
  const last = session.charCodeAt(session.length - 1);
  // Nothing to trim and longer than all of them: almost every session there is.
  if (session.length > PLACEHOLDER_LENGTH_MAX && isVisibleAscii(first) && isVisibleAscii(last)) return false;
  return session.trim() === '' || PLACEHOLDER_SESSIONS.has(session.trim().toLowerCase());
}

function isVisibleAscii(unit: number): boolean {
  return unit > 32 && unit < 127;
}

/** Whether `affected` is missing or a valid count. An invalid one counts 1 and is reported, never dropped. */
export function hasValidAffected(event: ActionEvent): boolean {
  const { affected } = event;
  return (
    affected === undefined ||
    (typeof affected === 'number' && Number.isInteger(affected) && affected >= 1 && affected <= AFFECTED_MAX)
  );
}

/** Objects that the step touched: one weighted mark, never n marks. */
export function affectedOf(event: ActionEvent): number {
  return event.affected !== undefined && hasValidAffected(event) ? (event.affected as number) : 1;
}

const NO_TARGETS: readonly string[] = [];

/** All targets of the step; without `targets` the one resource, and none when there is no resource either. */
export function targetsOf(event: ActionEvent): readonly string[] {
  if (event.targets !== undefined && event.targets.length > 0) return event.targets;
  return event.resource?.id === undefined ? NO_TARGETS : [event.resource.id];
}

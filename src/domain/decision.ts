import { z } from 'zod';
import { NAME_MAX, TEXT_MAX } from './event.ts';

const name = z.string().min(1).max(NAME_MAX);

/** Who decided, as the caller's login names them. Two people are two ids. */
export const Person = z.looseObject({
  id: name.describe('As the login names it.'),
  type: z.string().max(64).optional().describe('user, service, …'),
});
export type Person = z.infer<typeof Person>;

export const ORDER_SCOPES = ['agent', 'principal', 'tenant'] as const;
export const OrderScope = z.looseObject({
  type: z.enum(ORDER_SCOPES),
  id: name.describe('Of the agent, the principal or the tenant, as events name it.'),
});
export type OrderScope = z.infer<typeof OrderScope>;

/** `tenant:corp`: the scope of an order as commands, verdicts and the audit trail name it. */
export function scopeText({ type, id }: OrderScope): string {
  return `${type}:${id}`;
}

export const GRANT_MARKS_MAX = 1_000_000_000;
export const GRANT_MINUTES_MAX = 7 * 24 * 60;
export const GRANT_TARGETS_MAX = 256;
/** Of all targets together: a released session keeps them. */
export const GRANT_TARGETS_LENGTH_MAX = 8192;

/**
 * How far a released session may go before it is paused again: whichever of these comes first. At least one of marks,
 * points and minutes; targets narrow it.
 */
export const Grant = z
  .strictObject({
    marks: z
      .int()
      .min(0)
      .max(GRANT_MARKS_MAX)
      .optional()
      .describe('Objects that the actions which count in the request may still touch; one call on 5 rows uses 5.'),
    points: z
      .number()
      .min(0)
      .max(1e15)
      .optional()
      .describe('How much the score of each condition of the request may rise above what it is at the release.'),
    minutes: z
      .number()
      .positive()
      .max(GRANT_MINUTES_MAX)
      .optional()
      .describe('Minutes of append time from the release on.'),
    targets: z
      .array(z.string().min(1).max(TEXT_MAX))
      .min(1)
      .max(GRANT_TARGETS_MAX)
      .refine(
        (targets) => targets.join('').length <= GRANT_TARGETS_LENGTH_MAX,
        `targets of at most ${GRANT_TARGETS_LENGTH_MAX} characters together`,
      )
      .optional()
      .describe('The only targets that the actions which count in the request may touch.'),
  })
  .refine(
    ({ marks, points, minutes }) => marks !== undefined || points !== undefined || minutes !== undefined,
    'a grant with at least one of marks, points and minutes',
  );
export type Grant = z.infer<typeof Grant>;

export const DECISION_KINDS = ['release', 'reject', 'pause', 'kill', 'lift'] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

/**
 * What a person decides. Of a session: `release` or `reject` answer a request; `pause` and `kill` need none. Of a scope:
 * `pause` and `kill` are standing orders, which hold until `lift`. A repeated id changes nothing.
 */
export const Decision = z
  .looseObject({
    id: name.describe('Unique. A repeated one changes nothing.'),
    kind: z.enum(DECISION_KINDS),
    session: name.optional().describe('What it is about; exactly one of session and scope.'),
    scope: OrderScope.optional().describe('An order for all sessions of an agent, a principal or a tenant.'),
    command: name.optional().describe('The pause that a release or reject answers.'),
    view: z
      .string()
      .max(NAME_MAX)
      .optional()
      .describe('Digest of the request that the person saw. A release must name it; of another view it is refused.'),
    by: Person,
    reason: z.string().max(TEXT_MAX).optional().describe('Why, in the words of the person.'),
    grant: Grant.optional().describe('How far a release goes. A release must name one.'),
  })
  .superRefine(({ kind, session, scope }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (session === undefined && scope === undefined) refuse('session', 'a session, or a scope instead');
    if (session !== undefined && scope !== undefined) refuse('scope', 'nothing beside a session');
    if (kind === 'lift' && scope === undefined) refuse('scope', 'the scope of the order that is lifted');
    if ((kind === 'release' || kind === 'reject') && session === undefined) refuse('session', 'the paused session');
  });
export type Decision = z.infer<typeof Decision>;

/** Why a decision changes nothing. A closed set: it is a metric label. */
export const DECISION_REFUSALS = [
  'unknown_session',
  'unknown_command',
  'already_decided',
  'ended',
  'stale_view',
  'no_grant',
  'needs_second_person',
  'initiator',
  'already_paused',
  'already_killed',
  'order_in_force',
  'no_order',
  'too_many_orders',
  'crowd',
] as const;
export const DecisionRefusal = z.enum(DECISION_REFUSALS);
export type DecisionRefusal = z.infer<typeof DecisionRefusal>;

/** Orders that one partition may hold at once. One more is refused. */
export const ORDERS_MAX = 200;

/** A standing order as a partition holds it, until somebody lifts it. */
export const Order = z.strictObject({
  decision: z.string().describe('Id of the decision that gave it; of its command where no person did.'),
  command: z.string().describe('Id of the command with its scope.'),
  scope: OrderScope,
  kind: z.enum(['pause', 'kill']).describe('As it was asked for. Either is enforced as a pause: see `sessions`.'),
  by: Person.optional().describe('Absent where no person did, but what too many sessions of an agent add up to.'),
  reason: z.string().optional(),
  sinceMs: z.int().nonnegative().describe('Append time of the decision.'),
  liftedBy: z.string().optional().describe('The first of two people who lift it, where the policy asks for two.'),
});
export type Order = z.infer<typeof Order>;

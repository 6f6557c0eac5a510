import { z } from 'zod';
import { AuditEntry } from '../../domain/audit.ts';
import { Grant, OrderScope } from '../../domain/decision.ts';
import { Finding } from '../../domain/finding.ts';
import { Level } from '../../domain/level.ts';
import type { ApiRole } from './roles.ts';

const Reason = z.string().min(1).max(2048).describe('Why, for whoever looks into it later.');
const Seen = {
  command: z.string().min(1).max(2048).describe('Id of the pause that this answers, from the request.'),
  view: z.string().min(1).max(2048).describe('Digest of the request that the person saw.'),
};

/** What people send. Unknown fields are refused: a misspelt bound would be no bound. */
export const BODIES = {
  Release: z.strictObject({ ...Seen, grant: Grant, reason: Reason }),
  Reject: z.strictObject({ ...Seen, reason: Reason }),
  Stop: z.strictObject({ reason: Reason }),
  Order: z.strictObject({ kind: z.enum(['pause', 'kill']), scope: OrderScope, reason: Reason }),
  Lift: z.strictObject({ scope: OrderScope, reason: Reason }),
};
export type BodyName = keyof typeof BODIES;

const SessionSummary = z.object({
  session: z.string(),
  level: Level,
  since: z.string().describe('Log time of the last change of the level.'),
  rule: z.string().optional().describe('What brought it here.'),
  command: z.string().optional(),
  agent: z.object({ id: z.string(), role: z.string().optional(), version: z.string().optional() }).optional(),
  principal: z.object({ id: z.string(), type: z.string().optional() }).optional(),
  tenant: z.string().optional(),
  request: Finding.optional().describe('What it waits for; `view` in it is what an answer must name.'),
  answerUntil: z.string().optional(),
  approvedBy: z.array(z.string()).optional(),
  alarm: Finding.optional().describe('The enforcement is in doubt.'),
});

/** What is answered. */
export const ANSWERS = {
  Sessions: z.object({ sessions: z.array(SessionSummary) }),
  Session: z.object({ session: SessionSummary.optional(), findings: z.array(Finding) }),
  Trail: z.object({ entries: z.array(AuditEntry), truncated: z.boolean() }),
  Decided: z.object({
    decision: z.string().describe('Its id in the log.'),
    outcome: z
      .enum(['accepted', 'refused', 'pending'])
      .describe('pending: it is written, and counts as soon as the log is judged.'),
    findings: z.array(Finding).describe('What the analyzers said of it, one for each partition.'),
    expected: z.int().describe('How many of them there will be.'),
  }),
  Problem: z.object({ title: z.string(), status: z.int(), detail: z.string() }).describe('RFC 9457.'),
};
export type AnswerName = keyof typeof ANSWERS;

export interface Route {
  id: 'sessions' | 'session' | 'trail' | 'events' | 'release' | 'reject' | 'pause' | 'kill' | 'order' | 'lift';
  method: 'GET' | 'POST';
  /** `{name}` is a parameter, as in OpenAPI. */
  path: string;
  role: ApiRole;
  summary: string;
  /** Of a POST: what it takes. */
  body?: BodyName;
  /** Undefined: server-sent events. */
  answer: AnswerName | undefined;
}

/** The whole API: what the server answers, what the OpenAPI document says, and what the tests walk through. */
export const ROUTES: readonly Route[] = [
  get('sessions', '/v1/sessions', 'Sessions that are not clear, the most urgent first.', 'Sessions'),
  get('session', '/v1/sessions/{session}', 'How a session stands, and what was said of it lately.', 'Session'),
  get('trail', '/v1/sessions/{session}/audit', 'The audit trail of a session, oldest first.', 'Trail'),
  get('events', '/v1/events', 'Findings as they come, as server-sent events.', undefined),
  post(
    'release',
    '/v1/sessions/{session}/release',
    'approver',
    'Let a paused session go on, within a grant.',
    'Release',
  ),
  post(
    'reject',
    '/v1/sessions/{session}/reject',
    'approver',
    'Answer a paused session with no: it is killed.',
    'Reject',
  ),
  post('pause', '/v1/sessions/{session}/pause', 'approver', 'Pause a session.', 'Stop'),
  post('kill', '/v1/sessions/{session}/kill', 'approver', 'Kill a session, for ever.', 'Stop'),
  post('order', '/v1/orders', 'admin', 'Pause everything of an agent, a principal or a tenant, until lifted.', 'Order'),
  post('lift', '/v1/orders/lift', 'admin', 'End a standing order.', 'Lift'),
];

function get(id: Route['id'], path: string, summary: string, answer: AnswerName | undefined): Route {
  return { id, method: 'GET', path, role: 'viewer', summary, answer };
}

function post(id: Route['id'], path: string, role: ApiRole, summary: string, body: BodyName): Route {
  return { id, method: 'POST', path, role, summary, body, answer: 'Decided' };
}

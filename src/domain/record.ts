import { z } from 'zod';
import { Decision, Order } from './decision.ts';
import { DriftState } from './drift.ts';
import { EnforcerClass } from './enforcer-class.ts';
import type { ActionEvent } from './event.ts';

/**
 * The records of `firebreak.actions`. All but actions are control records: they change nothing when repeated.
 * Types are CloudEvents types with the prefix below; a bare JSON object in the canonical shape is an action.
 */
export const TYPE_PREFIX = 'dev.firebreak.';

const text = z.string().min(1).max(2048);
const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/);

export const ACKNOWLEDGEMENTS = ['received', 'enforced', 'failed', 'unsupported'] as const;

/** What an enforcer says of a command. Only `enforced` ends the waiting for it. */
export const Acknowledgement = z.looseObject({
  id: text,
  command: text.describe('Id of the command.'),
  session: text,
  status: z
    .enum(ACKNOWLEDGEMENTS)
    .describe('received: on its way; enforced: done; failed: tried in vain; unsupported: not possible here, ever.'),
  enforcer: text,
  class: EnforcerClass.optional().describe('Which of the policy’s `enforcers` it is, where it is one of them.'),
  reason: z.string().optional(),
});
export type Acknowledgement = z.infer<typeof Acknowledgement>;

export const PolicyActivated = z.looseObject({
  hash,
  chunks: z.int().positive(),
  engine: z.int().positive(),
  by: z.string().optional(),
});
export type PolicyActivated = z.infer<typeof PolicyActivated>;

/** The command is out. The first one of a command begins the time for an answer, and for an acknowledgement. */
export const Published = z.looseObject({ command: text, session: text.optional(), scope: z.string().optional() });
export type Published = z.infer<typeof Published>;

export const Tick = z.looseObject({});
export type Tick = z.infer<typeof Tick>;

export const Restated = z.looseObject({
  clockMs: z.int().nonnegative(),
  policy: PolicyActivated.optional(),
  orders: z.array(Order).default([]),
  drift: DriftState.optional(),
});
export type Restated = z.infer<typeof Restated>;

/** Schema of each control record by its CloudEvents type. */
export const CONTROL_RECORDS = {
  'decision.v1': Decision,
  'command.acknowledged.v1': Acknowledgement,
  'policy.activated.v1': PolicyActivated,
  'command.published.v1': Published,
  'tick.v1': Tick,
  'state.restated.v1': Restated,
} as const;

/** Why a record cannot be used. A closed set: it is a metric label and a header of the quarantined record. */
export const REFUSALS = [
  'too_large',
  'not_json',
  'invalid_event',
  'invalid_control',
  'unknown_type',
  'placeholder_session',
  'key_mismatch',
  'misrouted',
  'invalid_signature',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A record as it came from the log, before anyone has read it. Times are the broker's append times. */
export interface RawRecord {
  offset: number;
  appendMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Record<string, Uint8Array | string | (Uint8Array | string)[] | undefined>;
}

export type RecordBody =
  | { type: 'action'; event: ActionEvent }
  | { type: 'decision'; decision: Decision }
  | { type: 'acknowledgement'; acknowledgement: Acknowledgement }
  | { type: 'policy'; policy: PolicyActivated }
  | { type: 'published'; published: Published }
  | { type: 'tick' }
  | { type: 'restated'; restated: Restated }
  | { type: 'refused'; refusal: Refusal; reason: string; raw: RawRecord };

/** The policy whose body must be at hand before a record can be stepped. */
export function policyNamedBy(body: RecordBody): PolicyActivated | undefined {
  if (body.type === 'policy') return body.policy;
  return body.type === 'restated' ? body.restated.policy : undefined;
}

/** The session that a record is about; undefined for one of the partition or of a wider scope. */
export function sessionNamedBy(body: RecordBody): string | undefined {
  switch (body.type) {
    case 'action':
      return body.event.session;
    case 'decision':
      return body.decision.session;
    case 'acknowledgement':
      return body.acknowledgement.session;
    case 'published':
      return body.published.session;
    default:
      return undefined;
  }
}

/** What `step` consumes. `offset` is exact up to 2^53; `appendMs` is the broker's time. */
export interface LogRecord {
  offset: number;
  appendMs: number;
  body: RecordBody;
}

import { z } from 'zod';
import { ORDERS_MAX, Order } from '../domain/decision.ts';
import { DriftState } from '../domain/drift.ts';
import { FINDING_CODES } from '../domain/finding.ts';
import { PolicyActivated, REFUSALS } from '../domain/record.ts';

export const SUPERSEDED_MAX = 32;
/** So many decisions about lifted orders are remembered, so that a late copy of one gives no order again. */
export const LIFTED_MAX = 64;
const counter = z.int().nonnegative();

/** What became of every record of the log: their sum is the number of records that were read, findings apart. */
const Accounting = z.strictObject({
  judged: counter.describe('Actions that a policy judged.'),
  repeated: counter.describe('Actions that the session had counted already.'),
  beforePolicy: counter.describe('Actions before the first policy.'),
  afterKill: counter.describe('Actions of sessions that were killed already.'),
  skipped: counter
    .default(0)
    .describe('Actions and unusable records before the part of the log that a rebuild judges again.'),
  control: counter,
  refused: z.partialRecord(z.enum(REFUSALS), counter),
  findings: z.partialRecord(z.enum(FINDING_CODES), counter),
});

/** The part of a partition's state that belongs to no session. */
export const PartitionState = z.strictObject({
  version: z.literal(1),
  clockMs: z.int().nonnegative().describe('Running maximum of append times.'),
  behind: z.boolean().describe('The append times are more than 5 s below that maximum.'),
  policy: PolicyActivated.optional(),
  superseded: z.array(z.string()).max(SUPERSEDED_MAX).describe('Hashes of the policies before it, the newest last.'),
  restatedMs: z.int().nonnegative().describe('Append time of the record that last said which policy holds.'),
  rebuiltFromMs: z
    .int()
    .nonnegative()
    .optional()
    .describe('Clock at which a rebuild from the middle of the log began.'),
  orders: z.array(Order).max(ORDERS_MAX),
  liftedOrders: z
    .array(z.string())
    .max(LIFTED_MAX)
    .default([])
    .describe('Decisions whose orders were lifted, the newest last.'),
  jumpedMs: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Clock at which it jumped last: what was due over that jump waits for a person.'),
  begun: z
    .strictObject({ sinceMs: z.int().nonnegative(), counts: z.record(z.string(), counter) })
    .optional()
    .describe('Sessions that agents began in this minute, by counter; absent before the first.'),
  crowded: counter.default(0).describe('Actions that were judged in the crowd of their agent.'),
  finished: counter.default(0).describe('Lives of sessions that ended without a kill.'),
  drift: DriftState.optional().describe('Absent under a policy without a baseline that can be compared with.'),
  auditChain: z.string().default('').describe('Offset at which the chain of the audit trail begins.'),
  auditIndex: counter.default(0).describe('Entries of that chain.'),
  auditHash: z.string(),
  accounting: Accounting,
});
export type PartitionState = z.infer<typeof PartitionState>;

export function emptyPartitionState(): PartitionState {
  return {
    version: 1,
    clockMs: 0,
    behind: false,
    superseded: [],
    restatedMs: 0,
    orders: [],
    liftedOrders: [],
    jumpedMs: 0,
    crowded: 0,
    finished: 0,
    auditChain: '',
    auditIndex: 0,
    auditHash: '',
    accounting: {
      judged: 0,
      repeated: 0,
      beforePolicy: 0,
      afterKill: 0,
      skipped: 0,
      control: 0,
      refused: {},
      findings: {},
    },
  };
}

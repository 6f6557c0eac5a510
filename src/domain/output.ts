import { z } from 'zod';
import type { AuditEntry } from './audit.ts';
import { type Command, Position } from './command.ts';
import type { Decision, Order } from './decision.ts';
import { Standby } from './enforcer-class.ts';
import type { Finding } from './finding.ts';
import { Level } from './level.ts';
import type { Acknowledgement, PolicyActivated, RawRecord, Refusal } from './record.ts';

/** The latest level of a session, for enforcers that start late. `firebreak.verdicts` keeps one per key. */
export const Verdict = z
  .strictObject({
    session: z.string(),
    level: Level,
    command: z.string().describe('Id of the command that brought the session here.'),
    rule: z.string(),
    time: z.string(),
    position: Position.describe('Enforcers ignore what is not above the last position that they obeyed.'),
    standby: Standby,
  })
  .describe('Firebreak verdict');
export type Verdict = z.infer<typeof Verdict>;

/** How far a partition is judged. An enforcer acts when the lease of its session's partition is old. */
export const Lease = z
  .strictObject({
    partition: z.int().nonnegative(),
    partitions: z.int().positive().describe('Partition count: murmur2(session) % partitions names the lease.'),
    processedThrough: z.string().describe('Every action appended before this time has been judged.'),
    position: Position,
  })
  .describe('Firebreak lease');
export type Lease = z.infer<typeof Lease>;

/** The control records that Firebreak itself appends to the log: the owner of a partition, the relay, a person's tool. */
export type OwnerRecord =
  | { type: 'policy.activated.v1'; body: PolicyActivated }
  | { type: 'tick.v1'; body: Record<string, never> }
  | { type: 'command.published.v1'; body: { command: string; session?: string; scope?: string } }
  | {
      type: 'state.restated.v1';
      body: { clockMs: number; policy?: PolicyActivated; orders: Order[] };
    }
  | { type: 'decision.v1'; body: Decision }
  | { type: 'command.acknowledged.v1'; body: Acknowledgement };

/** The topics that others write, and the relay copies into the log. */
export const RELAYED_TOPICS = ['acks', 'decisions'] as const;
export type RelayedTopic = (typeof RELAYED_TOPICS)[number];

/**
 * Everything that leaves Firebreak, one member per topic. An output names its key and its bytes are a function of
 * it: the same log gives the same outputs, whoever publishes them and however often.
 */
export type Output =
  /** `attempt`: how often the log knows that it was published, this time included; 1 when absent. */
  | { topic: 'commands'; key: string; command: Command; attempt?: number }
  | { topic: 'findings'; key: string; finding: Finding }
  | { topic: 'verdicts'; key: string; verdict: Verdict }
  | { topic: 'audit'; key: string; entry: AuditEntry }
  | { topic: 'leases'; key: string; lease: Lease }
  | {
      topic: 'quarantine';
      key: Uint8Array | null;
      raw: RawRecord;
      refusal: Refusal;
      reason: string;
      position: Position;
      /** Where it was read; absent: in the log itself. */
      from?: RelayedTopic;
    }
  | { topic: 'acks'; key: string; acknowledgement: Acknowledgement }
  | { topic: 'actions'; key: string; partition: number; record: OwnerRecord };

import { z } from 'zod';
import { ORDERS_MAX, Order } from '../domain/decision.ts';
import { FINDING_CODES, type FindingCode } from '../domain/finding.ts';
import { PolicyActivated, REFUSALS, type Refusal } from '../domain/record.ts';
import type { Plan } from './plan/policy.ts';
import { encodeSession } from './session/codec.ts';
import { Session } from './session/session.ts';
import { Timers } from './timers.ts';

const SUPERSEDED_MAX = 32;
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

/**
 * One partition as `step` sees it. It belongs to `step`, which changes it in place: after any failure the caller
 * throws it away and makes a new one from the last checkpoint.
 */
export class Partition {
  readonly topicId: string;
  readonly partition: number;
  readonly state: PartitionState;
  readonly timers = new Timers();
  readonly sessions = new Map<string, Session>();
  /** Sessions that exist in the checkpoint and are not in memory: the caller loads one before a record needs it. */
  readonly stored = new Set<string>();
  /** Compiled policies by hash. The caller adds a plan before it steps the record that activates it. */
  readonly plans = new Map<string, Plan>();
  #plan: Plan | undefined;
  #dirty = new Set<string>();

  constructor(topicId: string, partition: number, state: PartitionState = emptyPartitionState()) {
    this.topicId = topicId;
    this.partition = partition;
    this.state = state;
  }

  get plan(): Plan | undefined {
    return this.#plan;
  }

  judgeUnder(plan: Plan): void {
    this.plans.set(plan.hash, plan);
    this.#plan = plan;
  }

  /** Number of sessions that exist, in memory or only in the checkpoint. */
  get sessionCount(): number {
    return this.sessions.size + this.stored.size;
  }

  /** A session that the checkpoint holds and that is not needed yet. */
  expect(id: string, timerMs: number): void {
    this.stored.add(id);
    this.timers.add(timerMs, id);
  }

  /** A session as it was loaded. It does not count as changed. */
  adopt(session: Session): void {
    this.stored.delete(session.id);
    this.sessions.set(session.id, session);
  }

  /** The checkpoint holds the session as it is here: it need not stay in memory. */
  release(session: Session): void {
    if (session.changed) throw new Error(`session "${session.id}" has changes that no checkpoint holds`);
    this.sessions.delete(session.id);
    this.stored.add(session.id);
  }

  find(id: string): Session | undefined {
    if (this.stored.has(id)) throw new Error(`session "${id}" was not loaded before a record that needs it`);
    return this.sessions.get(id);
  }

  open(id: string): Session {
    const known = this.find(id);
    if (known) return known;
    const session = new Session(id);
    this.sessions.set(id, session);
    return session;
  }

  arm(session: Session, atMs: number): void {
    session.timerMs = atMs;
    this.timers.add(atMs, session.id);
  }

  touched(session: Session): void {
    if (session.changed) return;
    session.changed = true;
    this.#dirty.add(session.id);
  }

  forget(session: Session): void {
    this.sessions.delete(session.id);
    this.#dirty.add(session.id);
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** The bytes of every session that changed since the last call, as they are now; null for one that is gone. */
  takeChanges(): Map<string, Uint8Array | null> {
    const changes = new Map<string, Uint8Array | null>();
    for (const id of this.#dirty) {
      const session = this.sessions.get(id);
      if (session) session.changed = false;
      changes.set(id, session ? encodeSession(session) : null);
    }
    this.#dirty = new Set();
    return changes;
  }

  /** The policy that judges from the record at `atMs` on. */
  activate(policy: PolicyActivated, atMs: number): void {
    const plan = this.plans.get(policy.hash);
    if (!plan) throw new Error(`policy ${policy.hash} was not compiled before the record that activates it`);
    const { state } = this;
    if (state.policy) state.superseded = [...state.superseded, state.policy.hash].slice(-SUPERSEDED_MAX);
    const { hash, chunks, engine, by } = policy;
    state.policy = { hash, chunks, engine, ...(by === undefined ? {} : { by }) };
    state.restatedMs = atMs;
    this.judgeUnder(plan);
  }

  countRefused(refusal: Refusal): void {
    const { refused } = this.state.accounting;
    refused[refusal] = (refused[refusal] ?? 0) + 1;
  }

  countFinding(code: FindingCode): void {
    const { findings } = this.state.accounting;
    findings[code] = (findings[code] ?? 0) + 1;
  }
}

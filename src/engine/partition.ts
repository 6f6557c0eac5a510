import { z } from 'zod';
import { type AuditEntry, auditHashOf } from '../domain/audit.ts';
import { ORDERS_MAX, Order } from '../domain/decision.ts';
import { DriftState } from '../domain/drift.ts';
import { FINDING_CODES, type FindingCode } from '../domain/finding.ts';
import type { Level } from '../domain/level.ts';
import { PolicyActivated, REFUSALS, type Refusal } from '../domain/record.ts';
import { driftUnder } from './evidence/drift.ts';
import type { Plan } from './plan/policy.ts';
import { encodeSession, type SessionHeader } from './session/codec.ts';
import { Session } from './session/session.ts';
import { NEVER } from './standing/pause.ts';
import { type Timer, Timers } from './timers.ts';

const SUPERSEDED_MAX = 32;
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
  /**
   * Sessions that exist in the checkpoint and are not in memory, and when each has to be looked at: the caller loads one
   * before a record needs it.
   */
  readonly stored = new Map<string, number>();
  /** How many of them stand at each level: only a session in memory changes its own. */
  readonly #storedAt: Record<Level, number> = { clear: 0, watch: 0, paused: 0, killed: 0 };
  /** Compiled policies by hash. The caller adds a plan before it steps the record that activates it. */
  readonly plans = new Map<string, Plan>();
  /** Sessions on which something is pending, and when it is due at the earliest: ticks are for them. */
  readonly pending = new Map<string, number>();
  /** Sessions that a standing order holds. */
  readonly ordered = new Set<string>();
  /** What is pending, the earliest first. An entry that `pending` says otherwise by now is void. */
  readonly #due = new Timers();
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

  /** Levels of the sessions that exist, in memory or only in the checkpoint. It looks at every one in memory. */
  countLevels(): Record<Level, number> {
    const counts = { ...this.#storedAt };
    for (const { level } of this.sessions.values()) counts[level]++;
    return counts;
  }

  /** A session that the checkpoint holds and that is not needed yet. */
  expect(id: string, { level, timerMs, pending, ordered }: SessionHeader): void {
    this.stored.set(id, timerMs);
    this.#storedAt[level]++;
    this.timers.add(timerMs, id);
    if (pending) this.#pend(id, timerMs);
    if (ordered) this.ordered.add(id);
  }

  /** A session as it was loaded. It does not count as changed. */
  adopt(session: Session): void {
    if (this.stored.delete(session.id)) this.#storedAt[session.level]--;
    this.sessions.set(session.id, session);
    // The header told no more than when to look.
    if (this.pending.has(session.id)) this.#pend(session.id, session.dueMs);
  }

  /** The checkpoint holds the session as it is here: it need not stay in memory. */
  release(session: Session): void {
    if (session.changed) throw new Error(`session "${session.id}" has changes that no checkpoint holds`);
    this.sessions.delete(session.id);
    this.stored.set(session.id, session.timerMs);
    this.#storedAt[session.level]++;
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

  /** Whether the session has to be looked at another time by now, or is gone. */
  isVoid({ session, atMs }: Timer): boolean {
    return (this.sessions.get(session)?.timerMs ?? this.stored.get(session)) !== atMs;
  }

  arm(session: Session, atMs: number): void {
    session.timerMs = atMs;
    this.timers.add(atMs, session.id);
  }

  /** Notes when something of the session is due, and whether an order holds it. */
  schedule(session: Session): void {
    const { id, standing, dueMs } = session;
    if (dueMs === NEVER) this.pending.delete(id);
    else this.#pend(id, dueMs);
    if (standing?.order === undefined) this.ordered.delete(id);
    else this.ordered.add(id);
    if (dueMs < session.timerMs) this.arm(session, dueMs);
  }

  /** When something is due next; NEVER while nothing is pending. */
  get nextDueMs(): number {
    for (let first = this.#due.first; first !== undefined; first = this.#due.first) {
      if (this.pending.get(first.session) === first.atMs) return first.atMs;
      this.#due.takeDue(first.atMs);
    }
    return NEVER;
  }

  #pend(id: string, dueMs: number): void {
    if (this.pending.get(id) === dueMs) return;
    this.pending.set(id, dueMs);
    this.#due.add(dueMs, id);
  }

  touched(session: Session): void {
    if (session.changed) return;
    session.changed = true;
    this.#dirty.add(session.id);
  }

  forget(session: Session): void {
    this.sessions.delete(session.id);
    this.pending.delete(session.id);
    this.ordered.delete(session.id);
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
    state.drift = driftUnder(state.drift, plan.evidence, atMs);
    this.judgeUnder(plan);
  }

  /** The next entry of the audit trail, which it closes with its hash. */
  chain(about: Omit<AuditEntry, 'chain' | 'index' | 'previous' | 'hash'>): AuditEntry {
    const { state } = this;
    if (state.auditIndex === 0) state.auditChain = about.position.offset;
    const entry = { chain: state.auditChain, index: state.auditIndex, previous: state.auditHash, ...about };
    const hash = auditHashOf(entry);
    state.auditIndex++;
    state.auditHash = hash;
    return { ...entry, hash };
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

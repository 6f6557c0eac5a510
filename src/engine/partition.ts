import { type AuditEntry, auditHashOf } from '../domain/audit.ts';
import type { FindingCode } from '../domain/finding.ts';
import type { Level } from '../domain/level.ts';
import type { PolicyActivated, Refusal } from '../domain/record.ts';
import { driftUnder } from './evidence/drift.ts';
import { emptyPartitionState, type PartitionState, SUPERSEDED_MAX } from './partition-state.ts';
import type { Plan } from './plan/policy.ts';
import { encodeSession, type SessionHeader } from './session/codec.ts';
import { isCrowdId } from './session/crowd-id.ts';
import { Session } from './session/session.ts';
import { NEVER } from './standing/pause.ts';
import { type Timer, Timers } from './timers.ts';

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
  /** Sessions that stand for those of an agent which are not held one by one. */
  readonly crowds = new Set<string>();
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
    if (isCrowdId(id)) this.crowds.add(id);
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

  /** In memory or only in the checkpoint. */
  holds(id: string): boolean {
    return this.sessions.has(id) || this.stored.has(id);
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
    if (isCrowdId(session.id)) this.crowds.add(id);
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
    this.crowds.delete(session.id);
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

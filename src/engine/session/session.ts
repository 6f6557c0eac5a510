import type { ActionEvent } from '../../domain/event.ts';
import type { Level } from '../../domain/level.ts';
import { type SessionIntents, SHADOW_EVIDENCE } from '../evidence/session-intents.ts';
import { fingerprint } from '../fingerprint.ts';
import type { GroupPlan, Plan } from '../plan/policy.ts';
import { NEVER } from '../standing/pause.ts';
import type { Standing } from '../standing/standing.ts';
import { Dedupe } from './dedupe.ts';
import { Group } from './group.ts';

/** More principals than this in one session: it is not one piece of work, and what it adds up to means little. */
export const PRINCIPALS_MAX = 8;

/**
 * What a finding reports once in the life of a session, as bits of `reported`: a source with a wrong clock would else
 * write one finding per event.
 */
export const ONCE = {
  event_id_reused: 1,
  invalid_affected: 2,
  time_out_of_bounds: 4,
  session_too_wide: 8,
  sessions_crowded: 16,
} as const;

/**
 * Bits of `held`: the highest condition that a shadow rule holds, whether an expression of the rule failed, and the
 * highest condition that exceptions lifted.
 */
export const HELD_RANK = 3;
export const HELD_FAILING = 4;
export const HELD_LIFTED = 24;
export const HELD_LIFTED_UNIT = 8;

/** So much may be added between two looks whether the state is still small. */
export const UNLOOKED_BYTES = 8 * 1024;

/**
 * Everything that the engine knows of one session. Two clocks: `lastMs`, `startMs`, `watchMs`, `timerMs` are the
 * partition's (append times), `clockMs` and `lifeStartMs` are the session's own (effective times of its events).
 */
export class Session {
  readonly id: string;
  /** Since the partition last took its changes. No part of the state. */
  changed = false;
  level: Level = 'clear';
  lastOffset = -1;
  lastMs = 0;
  /** When the partition has to look at this session again although no record touches it. */
  timerMs = 0;
  startMs = 0;
  clockMs = 0;
  lifeStartMs = 0;
  /** When a watch condition held last. */
  watchMs = 0;
  /** Actions of this life, each counted once. */
  actions = 0;
  reported = 0;
  /** Bytes that were added at most since somebody looked whether the state is still small: see `boundSession`. */
  grownBytes = 0;
  /** It was running when a rebuild from the log began: a part of it is missing, so it may be paused, not killed. */
  degraded = false;
  /** Hash of the policy under which it was stepped last. */
  policy = '';
  agent = '';
  role: string | undefined;
  principal: string | undefined;
  tenant: string | undefined;
  /** What the last action declared. */
  purpose: string | undefined;
  principals: number[] = [];
  dedupe = new Dedupe();
  groups = new Map<number, Group>();
  /** Rule id → the HELD bits, for rules with any. */
  held = new Map<number, number>();
  /** What the intents of the policy keep in this life; absent while the policy has none. */
  intents: SessionIntents | undefined;
  /** Requests, grants, orders and the last command; absent for a session that never was near a stop. */
  standing: Standing | undefined;
  /** When a sequence is complete because nothing came, by the partition's clock; NEVER while none waits. */
  awaitedMs = NEVER;

  constructor(id: string) {
    this.id = id;
  }

  /** A new life: lifetime measures begin again. Windows run on by time; level and deduplication stay. */
  begin(nowMs: number, effectiveMs: number): void {
    this.startMs = nowMs;
    this.lifeStartMs = Math.max(this.clockMs, effectiveMs);
    this.actions = 0;
    this.reported = 0;
    this.principals = [];
    this.held.clear();
    this.intents = undefined;
    for (const group of this.groups.values()) group.endLife();
  }

  /** When the partition has to look at it although no record touches it; NEVER while nothing is pending. */
  get dueMs(): number {
    return Math.min(this.awaitedMs, this.standing?.dueMs ?? NEVER);
  }

  /** Looks which sequence waits and is due first. To be called when actions or time have changed that. */
  noteAwaited(): void {
    let firstMs = NEVER;
    for (const { features } of this.groups.values()) {
      for (const feature of features.values()) {
        if (feature.holds === 'steps' && feature.deadlineMs < firstMs) firstMs = feature.deadlineMs;
      }
    }
    this.awaitedMs = firstMs;
  }

  /** Leaves behind what the new policy does not have. What both have goes on counting. */
  convert(plan: Plan): void {
    if (this.policy === plan.hash) return;
    this.policy = plan.hash;
    const ruleIds = new Set<number>();
    const intentIds = new Set(plan.evidence?.intents.map(({ id }) => id));
    if (plan.evidence === undefined) this.intents = undefined;
    else this.intents?.keepOnly(intentIds);
    for (const [id, group] of this.groups) {
      if (intentIds.has(id)) continue;
      const planned = plan.groups.get(id);
      if (!planned) this.groups.delete(id);
      group.keepOnly(new Set(planned?.features.map((feature) => feature.id)));
      group.trimSteps(planned?.stepBytes ?? 0);
      for (const rule of planned?.rules ?? []) ruleIds.add(rule.id);
    }
    if (intentIds.size > 0) ruleIds.add(SHADOW_EVIDENCE);
    for (const id of this.held.keys()) if (!ruleIds.has(id)) this.held.delete(id);
    for (const planned of plan.groups.values()) this.#takeOver(planned);
  }

  /**
   * Where exceptions, or measures of a rule with exceptions, are new to this session, what it did before is covered by
   * none: it goes on counting apart as it counts in the whole.
   */
  #takeOver({ id, whole, features, stepBytes }: GroupPlan): void {
    const from = whole === undefined ? undefined : this.groups.get(whole);
    if (from === undefined) return;
    const group = this.groups.get(id) ?? from.withoutFeatures();
    this.groups.set(id, group);
    if (group.takeOver(from, features)) this.grownBytes += UNLOOKED_BYTES;
    group.trimSteps(stepBytes);
  }

  group(id: number): Group {
    let group = this.groups.get(id);
    if (!group) {
      group = new Group();
      this.groups.set(id, group);
    }
    return group;
  }

  get isTooWide(): boolean {
    return this.principals.length > PRINCIPALS_MAX;
  }

  /** Notes who acts. Answers whether this is the principal that makes the session too wide. */
  noteActor(event: ActionEvent): boolean {
    this.agent = event.agent.id;
    this.role = event.agent.role;
    this.tenant = event.tenant;
    this.purpose = event.purpose;
    if (event.principal === undefined) return false;
    this.principal = event.principal.id;
    if (this.isTooWide) return false;
    const principal = fingerprint(event.principal.id);
    if (this.principals.includes(principal)) return false;
    this.principals.push(principal);
    return this.isTooWide;
  }

  /** Only the mark of the kill stays, and what became of the command. */
  shrinkToStub(): void {
    this.groups.clear();
    this.awaitedMs = NEVER;
    this.intents = undefined;
    this.held.clear();
    this.principals = [];
    this.dedupe = new Dedupe();
  }
}

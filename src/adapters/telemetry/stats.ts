import type { AuditEntry } from '../../domain/audit.ts';
import type { Baseline } from '../../domain/baseline.ts';
import type { Cause, Command } from '../../domain/command.ts';
import type { Expiry } from '../../domain/expiry.ts';
import { FINDING_CODES, type Finding, type FindingCode } from '../../domain/finding.ts';
import { parseInstant } from '../../domain/instant.ts';
import { LEVELS, type Level } from '../../domain/level.ts';
import type { RelayedTopic } from '../../domain/output.ts';
import { REFUSALS, type RecordBody, type Refusal } from '../../domain/record.ts';
import type { TenureLost } from '../../ports.ts';

type Counts<Label extends string> = Record<Label, number>;

export interface PartitionStats {
  /** Its state is here and it is judged; false while it is acquired or rebuilt. */
  ready: boolean;
  /** Records in the log that are not judged yet. */
  lag: number;
  /** Monotonic time at which a checkpoint held all that was judged, or of taking over. */
  checkpointedMs: number;
  /** Append time up to which everything is judged. */
  judgedThroughMs?: number;
  /** Monotonic time of the last lease. */
  leasedMs?: number;
  /** All of its sessions, also those that only the checkpoint holds, when they were counted last. */
  levels?: Counts<Level>;
  /** Those that only the checkpoint holds. */
  stored?: number;
  /** What finished sessions say against the baseline, nats; absent where there is none to compare with. */
  drift?: { nats: number; drifted: boolean };
  /** Lives of sessions that ended without a kill, ever. */
  finished?: number;
  /** Actions that were judged in the crowd of their agent, ever. */
  crowded?: number;
  /** Why it is not ready. */
  reason?: string;
  /** Monotonic time at which log, state and outlet last answered. */
  provenMs?: number;
}

/** What became of a pause that asked people. */
export const REVIEW_OUTCOMES = ['released', 'rejected', 'unanswered'] as const;
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number];

/** What becomes of a position of the log; `no_record` is one that holds none (a transaction's marker, compacted away). */
export const OUTCOMES = [
  'judged',
  'repeated',
  'before_policy',
  'after_kill',
  'skipped',
  'control',
  'refused',
  'no_record',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Two counts of the same from two sources: how far the worker went, and what step says that it did. */
export interface PartitionAccount {
  passed: number;
  outcomes: Counts<Outcome>;
}

/** Of so many commands the traces are known; what is measured of an older one names none. */
const TRACES_MAX = 1000;

/**
 * What a process counts about itself, in plain fields: a labelled prom-client increment costs as much as judging an
 * event. `Metrics` copies it at each scrape.
 */
export class Stats {
  /** The group has said which partitions this process holds; there may be none for it. */
  joined = false;
  batches = 0;
  rebuilds = 0;
  /** Stored states that could not be used and were thrown away. */
  discarded = 0;
  /** Take-overs that found less in the store than the group had committed: no state, or an older one. */
  readonly statesBehind: Counts<'none' | 'older'> = { none: 0, older: 0 };
  /** Outputs that the broker refused and that were answered by their minimal form. */
  minimalForms = 0;
  /** Records that came before the first policy: counted, not judged. */
  beforePolicy = 0;
  /** Events that were seen before and change nothing. */
  duplicates = 0;
  /** Partitions dropped after a failure. */
  givenUp = 0;
  /** Partitions of the log. */
  partitionCount = 0;
  build: { version: string; engine: string; node: string } | undefined;
  /** Hash of the policy that a partition of this process follows. */
  policyHash: string | undefined;
  /** Whether the rules folder, where there is one, may become the policy as it is now. */
  folder: 'accepted' | 'refused' = 'accepted';
  /** What expires in that policy. */
  expiries: readonly Expiry[] = [];
  /** What was learned for that policy. */
  baseline: { hash: string; intents: number; thresholds: Baseline['thresholds'] } | undefined;

  readonly records: Counts<RecordBody['type']> = {
    action: 0,
    decision: 0,
    acknowledgement: 0,
    policy: 0,
    published: 0,
    tick: 0,
    restated: 0,
    refused: 0,
  };
  readonly refused: Counts<Refusal> = zeros(REFUSALS);
  readonly findings: Counts<FindingCode> = zeros(FINDING_CODES);
  readonly tenuresLost: Counts<TenureLost['reason']> = { fenced: 0, rolled_back: 0, state_lost: 0, unknown: 0 };
  /** By rule: the rules are a closed set too, that of the policies which this process has seen. */
  readonly commands = new Map<string, Counts<Command['action']>>();
  /** By exception: findings that say what it lifted. */
  readonly lifted = new Map<string, number>();
  /** Records of the topics that the relay copies into the log, and how often it began anew because it failed. */
  readonly relayed: Record<RelayedTopic | 'actions', Counts<'copied' | 'refused' | 'failed'>> = {
    actions: { copied: 0, refused: 0, failed: 0 },
    acks: { copied: 0, refused: 0, failed: 0 },
    decisions: { copied: 0, refused: 0, failed: 0 },
  };
  /** By rule: what those in the shadow would have done. */
  readonly shadowHits = new Map<string, number>();
  /** By the rule or intent that paused. */
  readonly reviews = new Map<string, Counts<ReviewOutcome>>();
  /** Ids of the intents of the policies that this process has seen. */
  readonly intents = new Set<string>();
  readonly levelChanges: Counts<Level> = zeros(LEVELS);
  readonly batch = new Durations();
  readonly publish = new Durations();
  readonly checkpoint = new Durations();
  /** In times of the log: from the cause of a command to the log knowing that it is out. */
  readonly detectToPublish = new Durations(MINUTES_MS);
  /** From there to the first enforcer that confirms it. */
  readonly publishToAcknowledge = new Durations(MINUTES_MS);
  /** From the cause of a command to the last action of its session before that. */
  readonly detectToLastAction = new Durations(MINUTES_MS);
  /** The partitions that this process owns. */
  readonly partitions = new Map<number, PartitionStats>();
  /** Of every partition that this process ever judged: counters never fall. */
  readonly accounts = new Map<number, PartitionAccount>();

  /** By command. */
  readonly #traces = new Map<string, string>();

  countRecord(body: RecordBody): void {
    this.records[body.type]++;
    if (body.type === 'refused') this.refused[body.refusal]++;
  }

  countFinding(finding: Finding): void {
    const { code, level, rule, exceptions = [] } = finding;
    this.findings[code]++;
    const outcome = outcomeOf(finding);
    if (outcome !== undefined && rule !== undefined) this.#reviewsOf(rule)[outcome]++;
    if (code === 'level_changed' && level !== undefined) this.levelChanges[level.to]++;
    if (code === 'shadow_hit' && rule !== undefined) this.shadowHits.set(rule, (this.shadowHits.get(rule) ?? 0) + 1);
    for (const name of exceptions) this.lifted.set(name, (this.lifted.get(name) ?? 0) + 1);
  }

  observeAudit({ time, published, acknowledged }: AuditEntry): void {
    const traceId = this.#traces.get(published?.command ?? acknowledged?.command ?? '');
    const at = traceId === undefined ? undefined : { traceId, atMs: parseInstant(time) };
    if (published) this.detectToPublish.observe(published.detectToPublishMs, at);
    const { publishToAcknowledgeMs, detectToLastActionMs } = acknowledged ?? {};
    if (publishToAcknowledgeMs !== undefined) this.publishToAcknowledge.observe(publishToAcknowledgeMs, at);
    if (detectToLastActionMs !== undefined) this.detectToLastAction.observe(detectToLastActionMs, at);
  }

  /** The trace in which a command was decided: what is measured of it later names it. */
  noteTrace(command: string, traceId: string): void {
    this.#traces.set(command, traceId);
    if (this.#traces.size > TRACES_MAX) this.#traces.delete(this.#traces.keys().next().value!);
  }

  countCommand({ action, rule }: Command): void {
    this.#commandsOf(rule)[action]++;
  }

  /**
   * Shows the series of a policy at zero: Prometheus sees no increase in one that begins at 1, and the first kill of a
   * rule is the one that matters.
   */
  expect(policy: { rules: Iterable<string>; intents: Iterable<string>; exceptions: Iterable<string> }): void {
    const { rules, intents, exceptions } = policy;
    for (const intent of intents) this.intents.add(intent);
    for (const rule of [...rules, ...intents]) {
      this.#commandsOf(rule);
      this.#reviewsOf(rule);
      this.shadowHits.set(rule, this.shadowHits.get(rule) ?? 0);
    }
    for (const exception of exceptions) this.lifted.set(exception, this.lifted.get(exception) ?? 0);
  }

  #commandsOf(rule: string): Counts<Command['action']> {
    const counts = this.commands.get(rule) ?? { pause: 0, resume: 0, kill: 0 };
    this.commands.set(rule, counts);
    return counts;
  }

  #reviewsOf(rule: string): Counts<ReviewOutcome> {
    const counts = this.reviews.get(rule) ?? zeros(REVIEW_OUTCOMES);
    this.reviews.set(rule, counts);
    return counts;
  }

  account(partition: number): PartitionAccount {
    const account = this.accounts.get(partition) ?? { passed: 0, outcomes: zeros(OUTCOMES) };
    this.accounts.set(partition, account);
    return account;
  }

  sessionsByLevel(): Counts<Level> {
    const sum = zeros(LEVELS);
    for (const { levels } of this.partitions.values()) {
      if (levels !== undefined) for (const level of LEVELS) sum[level] += levels[level];
    }
    return sum;
  }
}

/** How the review of a pause ended; undefined for a finding that ends none. The first of two approvals does not. */
function outcomeOf({ code, rule, decision, request }: Finding): ReviewOutcome | undefined {
  if (code === 'level_changed' && rule === NO_ANSWER) return 'unanswered';
  if (code !== 'decision_accepted' || request !== undefined) return undefined;
  return decision?.kind === 'release' ? 'released' : decision?.kind === 'reject' ? 'rejected' : undefined;
}

const NO_ANSWER: Cause = 'firebreak:no-answer';

const SECONDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;
/** For what waits for others: brokers that are away, enforcers of one class after the other. */
const MINUTES_MS = [...SECONDS_MS, 20_000, 60_000, 120_000, 300_000, 600_000, 1_800_000] as const;

/** A histogram of durations. A bucket holds what took at most its bound; the last one has none. */
export class Durations {
  readonly boundsMs: readonly number[];
  /** One more than there are bounds, not cumulative. */
  readonly counts: number[];
  /** Of each bucket the latest with a trace. */
  readonly exemplars: ({ traceId: string; atMs: number; durationMs: number } | undefined)[] = [];
  sumMs = 0;

  constructor(boundsMs: readonly number[] = SECONDS_MS) {
    this.boundsMs = boundsMs;
    this.counts = new Array<number>(boundsMs.length + 1).fill(0);
  }

  /** `from`: the trace that it was measured in, by which somebody can look what took so long. */
  observe(durationMs: number, from?: { traceId: string; atMs: number }): void {
    let bucket = 0;
    while (bucket < this.boundsMs.length && durationMs > this.boundsMs[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumMs += durationMs;
    if (from !== undefined) this.exemplars[bucket] = { ...from, durationMs };
  }
}

export function zeros<Label extends string>(labels: readonly Label[]): Counts<Label> {
  return Object.fromEntries(labels.map((label) => [label, 0])) as Counts<Label>;
}

import { OUTCOMES, type Stats } from '../adapters/telemetry/stats.ts';
import { expiriesOf } from '../domain/expiry.ts';
import { driftEvidence } from '../engine/evidence/drift.ts';
import type { Plan } from '../engine/plan/policy.ts';
import type { Batch, Clock } from '../ports.ts';
import type { PartitionWorker } from './partition-worker.ts';

/** Looking at every session of a process of a million takes some 20 ms: not at each probe. */
const SESSIONS_COUNTED_EVERY_MS = 10_000;

/** Outcomes that `step` counts; the source alone knows where the log holds no record. */
const STEPPED = OUTCOMES.filter((outcome) => outcome !== 'no_record');

/** What became of the records that a state was ever stepped with. */
export type Account = Record<(typeof STEPPED)[number], number>;

/** Writes down in `stats` how the partitions of this process stand. The caller says when, and that the worker is theirs. */
export class Ledger {
  readonly #stats: Stats;
  readonly #clock: Clock;
  /** Monotonic time at which the sessions of a worker were counted last. */
  readonly #sessionsCountedMs = new WeakMap<PartitionWorker, number>();

  constructor({ stats, clock }: { stats: Stats; clock: Clock }) {
    this.#stats = stats;
    this.#clock = clock;
  }

  taken({ assignment: { partition, partitions, high }, next, processedThroughMs }: PartitionWorker): void {
    const nowMs = this.#clock.monotonicMs();
    const reason = this.#stats.partitions.get(partition)?.reason;
    const judgedThrough = processedThroughMs === 0 ? {} : { judgedThroughMs: processedThroughMs };
    const taken = { lag: high - next, checkpointedMs: nowMs, provenMs: nowMs, ...judgedThrough };
    // What was given up is back only when it gets further than before.
    const stillOut = reason !== undefined && next < high;
    this.#stats.partitions.set(partition, stillOut ? { ...taken, ready: false, reason } : { ...taken, ready: true });
    this.#stats.partitionCount = partitions;
    this.#stats.account(partition); // shown from the start, at zero
  }

  /** A batch is behind: how it was accounted for, and what is left. */
  judged(worker: PartitionWorker, lag: number): void {
    const known = this.#stats.partitions.get(worker.assignment.partition);
    if (!known) return;
    known.lag = lag;
    known.judgedThroughMs = worker.processedThroughMs;
    known.ready = true;
    delete known.reason;
  }

  /** Answers how many actions came before the first policy. */
  account(worker: PartitionWorker, before: Account, { first, next, records }: Batch): number {
    const after = accountOf(worker);
    const account = this.#stats.account(worker.assignment.partition);
    account.passed += worker.next - first;
    account.outcomes.no_record += next - first - records.length;
    for (const outcome of STEPPED) account.outcomes[outcome] += after[outcome] - before[outcome];
    const unjudged = after.before_policy - before.before_policy;
    this.#stats.duplicates += after.repeated - before.repeated;
    this.#stats.beforePolicy += unjudged;
    return unjudged;
  }

  /** Log, state and outlet have answered just now. */
  proven(worker: PartitionWorker, leasedMs: number | undefined): void {
    const known = this.#stats.partitions.get(worker.assignment.partition);
    if (!known) return;
    const nowMs = this.#clock.monotonicMs();
    known.provenMs = nowMs;
    if (leasedMs !== undefined) known.leasedMs = leasedMs;
    const { drift, finished, crowded } = worker.partition.state;
    known.finished = finished;
    known.crowded = crowded;
    if (drift === undefined) delete known.drift;
    else known.drift = { nats: driftEvidence(drift), drifted: drift.drifted };
    if (!worker.unsaved) known.checkpointedMs = nowMs;
    const countedMs = this.#sessionsCountedMs.get(worker);
    if (countedMs !== undefined && nowMs - countedMs < SESSIONS_COUNTED_EVERY_MS) return;
    this.#sessionsCountedMs.set(worker, nowMs);
    known.stored = worker.partition.stored.size;
    known.levels = worker.partition.countLevels();
  }

  followed(plan: Plan | undefined): void {
    if (plan === undefined || plan.hash === this.#stats.policyHash) return;
    const { hash, evidence } = plan;
    this.#stats.policyHash = hash;
    this.#stats.baseline = evidence && {
      hash: evidence.hash,
      intents: evidence.intents.length,
      thresholds: evidence.certified,
    };
    const rules = [...plan.groups.values()].flatMap((group) => group.rules);
    this.#stats.expect({
      rules: rules.map(({ rule }) => rule.id),
      intents: (evidence?.intents ?? []).map(({ intent }) => intent.id),
      exceptions: rules.flatMap(({ rule }) => (rule.exceptions ?? []).map(({ name }) => name)),
    });
    // Exceptions for several rules stand in each of them.
    const all = rules.flatMap(({ rule }) => expiriesOf(rule)).map((one) => [`${one.kind} ${one.name}`, one] as const);
    this.#stats.expiries = [...new Map(all).values()];
  }
}

export function accountOf({ partition }: PartitionWorker): Account {
  const { judged, repeated, beforePolicy, afterKill, skipped, control, refused } = partition.state.accounting;
  return {
    judged,
    repeated,
    before_policy: beforePolicy,
    after_kill: afterKill,
    skipped,
    control,
    refused: Object.values(refused).reduce((sum, count) => sum + count, 0),
  };
}

import type { Command } from '../../domain/command.ts';
import type { Expiry } from '../../domain/expiry.ts';
import { FINDING_CODES, type Finding, type FindingCode } from '../../domain/finding.ts';
import type { RelayedTopic } from '../../domain/output.ts';
import { REFUSALS, type RecordBody, type Refusal } from '../../domain/record.ts';
import type { TenureLost } from '../../ports.ts';

type Counts<Label extends string> = Record<Label, number>;

export interface PartitionStats {
  /** Its state is here and it is judged; false while it is acquired or rebuilt. */
  ready: boolean;
  /** Records in the log that are not judged yet. */
  lag: number;
  /** Monotonic time of the last checkpoint, or of taking over. */
  checkpointedMs: number;
  /** Why it is not ready. */
  reason?: string;
  /** Monotonic time at which log, state and outlet last answered. */
  provenMs?: number;
}

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
  /** Outputs that the broker refused and that were answered by their minimal form. */
  minimalForms = 0;
  /** Records that came before the first policy: counted, not judged. */
  beforePolicy = 0;
  /** Events that were seen before and change nothing. */
  duplicates = 0;
  /** Hash of the policy that a partition of this process follows. */
  policyHash: string | undefined;
  /** Whether the rules folder, where there is one, may become the policy as it is now. */
  folder: 'accepted' | 'refused' = 'accepted';
  /** What expires in that policy. */
  expiries: readonly Expiry[] = [];

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
  readonly relayed: Record<RelayedTopic, Counts<'copied' | 'refused' | 'failed'>> = {
    acks: { copied: 0, refused: 0, failed: 0 },
    decisions: { copied: 0, refused: 0, failed: 0 },
  };
  readonly publish = new Durations();
  readonly checkpoint = new Durations();
  /** The partitions that this process owns. */
  readonly partitions = new Map<number, PartitionStats>();

  countRecord(body: RecordBody): void {
    this.records[body.type]++;
    if (body.type === 'refused') this.refused[body.refusal]++;
  }

  countFinding({ code, exceptions = [] }: Finding): void {
    this.findings[code]++;
    for (const name of exceptions) this.lifted.set(name, (this.lifted.get(name) ?? 0) + 1);
  }

  countCommand({ action, rule }: Command): void {
    const counts = this.commands.get(rule) ?? { pause: 0, resume: 0, kill: 0 };
    this.commands.set(rule, counts);
    counts[action]++;
  }
}

/** A histogram of durations. A bucket holds what took at most its bound; the last one has none. */
export class Durations {
  static readonly boundsMs: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
  /** One more than there are bounds, not cumulative. */
  readonly counts: number[] = new Array<number>(Durations.boundsMs.length + 1).fill(0);
  sumMs = 0;

  observe(durationMs: number): void {
    let bucket = 0;
    while (bucket < Durations.boundsMs.length && durationMs > Durations.boundsMs[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumMs += durationMs;
  }
}

function zeros<Label extends string>(labels: readonly Label[]): Counts<Label> {
  return Object.fromEntries(labels.map((label) => [label, 0])) as Counts<Label>;
}

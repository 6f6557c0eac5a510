import { policyOf } from '../adapters/policy-body.ts';
import type { Output } from '../domain/output.ts';
import { type LogRecord, type PolicyActivated, policyNamedBy } from '../domain/record.ts';
import { PolicyBody } from '../domain/rule.ts';
import { Partition } from '../engine/partition.ts';
import { compilePolicy, ENGINE_VERSION, type Plan } from '../engine/plan/policy.ts';
import { step } from '../engine/step.ts';
import { ownerTicks } from './owner-ticks.ts';
import { outOfOrder, type RecordedLog, type RecordingItem, RecordingRefused } from './recording.ts';
import { policyBytes } from './rule-folder.ts';

export interface ReplayPolicy {
  activated: PolicyActivated;
  plan: Plan;
}

export interface ReplayOptions {
  /** Judges bare events. A captured log brings its own policies. */
  policy: ReplayPolicy;
  /** Whether a captured log is judged by what it recorded or, as an experiment, by `policy` from its first record on. */
  capturedBy: 'recorded' | 'given';
  /** Whether the clock goes on after the last bare event until nothing is pending. */
  end: 'closed' | 'open';
  /**
   * `silent`: each command of bare events counts as published and enforced at once, and nobody answers a pause: when
   * the time for an answer is over, the session is killed. `absent`, the default: pauses stand, as far as rules go.
   */
  people?: 'absent' | 'silent';
}

/** One record of the replayed log and what it caused. `partition` is the live state: look, do not keep. */
export interface Replayed {
  recording: RecordedLog;
  /** Line in the file, or offset in the topic; undefined for the records that the replay itself adds. */
  line: number | undefined;
  partition: Partition;
  record: LogRecord;
  outputs: Output[];
}

export type RecordTime = Pick<LogRecord, 'offset' | 'appendMs'>;

export function replayPolicy(body: PolicyBody): ReplayPolicy {
  const activated = policyOf(policyBytes(body), ENGINE_VERSION);
  return { activated, plan: compilePolicy(activated.hash, body) };
}

/** Judges recordings with the engine of the service, record by record. The same files give the same outputs. */
export async function* replay(recordings: readonly RecordedLog[], options: ReplayOptions): AsyncGenerator<Replayed> {
  const log = new ReplayedLog(options);
  for (const recording of recordings) {
    for await (const item of recording.items()) {
      if (item.type === 'policy') log.learn(item);
      else yield* log.take(recording, item);
    }
    if (recording.survey !== undefined && options.end === 'closed') yield* log.close(recording, recording.survey);
  }
}

type Recorded = Extract<RecordingItem, { type: 'record' }>;

/** All partitions of all topics that the recordings hold. */
class ReplayedLog {
  readonly #options: ReplayOptions;
  readonly #partitions = new Map<string, { partition: Partition; next: number }>();
  readonly #plans = new Map<string, Plan>();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#plans.set(options.policy.plan.hash, options.policy.plan);
  }

  learn({ hash, body }: Extract<RecordingItem, { type: 'policy' }>): void {
    if (this.#options.capturedBy === 'given' || this.#plans.has(hash)) return;
    const parsed = PolicyBody.parse(JSON.parse(Buffer.from(body).toString('utf8')));
    this.#plans.set(hash, compilePolicy(hash, parsed));
  }

  *take(recording: RecordedLog, { topicId, partition: number, line, record }: Recorded): Generator<Replayed> {
    const key = `${topicId}/${number}`;
    let held = this.#partitions.get(key);
    if (held === undefined) {
      held = { partition: new Partition(topicId, number), next: 0 };
      this.#partitions.set(key, held);
      if (this.#judgedByGiven(recording)) {
        yield stepped(recording, undefined, held.partition, activation(this.#options.policy, held.partition, record));
      }
    }
    if (record.offset < held.next) throw outOfOrder(recording.file, line, record.offset, held.next);
    held.next = record.offset + 1;
    const { partition } = held;
    const silent = this.#options.people === 'silent' && recording.survey !== undefined;
    // A captured log has the ticks that its own policies asked for.
    if (this.#judgedByGiven(recording)) yield* this.#passTime(recording, partition, record.appendMs, record.offset - 1);
    const one = stepped(recording, line, partition, this.#withPolicy(recording, line, partition, record));
    yield one;
    if (silent) yield* enforce(one);
  }

  /** Lets the time pass until nothing is pending, so that a recording says what its end led to. */
  *close(recording: RecordedLog, { topicId, lines }: { topicId: string; lines: number }): Generator<Replayed> {
    const { partition } = this.#partitions.get(`${topicId}/0`)!;
    yield* this.#passTime(recording, partition, Number.POSITIVE_INFINITY, lines);
    for (let offset = lines; partition.sessions.size > 0; offset++) {
      let lastMs = 0;
      for (const { timerMs } of partition.sessions.values()) lastMs = Math.max(lastMs, timerMs);
      if (lastMs <= partition.state.clockMs && !partition.timers.isCrowded(lastMs, 0)) return;
      yield stepped(recording, undefined, partition, {
        offset,
        appendMs: Math.max(lastMs, partition.state.clockMs),
        body: { type: 'tick' },
      });
    }
  }

  /** What is due until then. Nothing is pending in most recordings. */
  *#passTime(recording: RecordedLog, partition: Partition, untilMs: number, offset: number): Generator<Replayed> {
    for (const tick of ownerTicks(partition, untilMs, offset)) {
      const one = stepped(recording, undefined, partition, tick);
      yield one;
      if (this.#options.people === 'silent' && recording.survey !== undefined) yield* enforce(one);
    }
  }

  #judgedByGiven({ survey }: RecordedLog): boolean {
    return survey !== undefined || this.#options.capturedBy === 'given';
  }

  /** Gives the partition the plan that the record activates. */
  #withPolicy(recording: RecordedLog, line: number, partition: Partition, record: LogRecord): LogRecord {
    const { body } = record;
    const policy = policyNamedBy(body);
    if (policy === undefined) return record;
    if (this.#judgedByGiven(recording)) return withoutPolicy(record);
    const plan = this.#plans.get(policy.hash);
    if (plan === undefined) {
      const message =
        `the policy ${policy.hash} begins here, and the recording does not hold its body. ` +
        'Give the rules that it was made of, or judge all of it by other rules: --rules DIR';
      throw new RecordingRefused(recording.file, line, message);
    }
    partition.plans.set(plan.hash, plan);
    return record;
  }
}

/** The records that would follow its commands where enforcers do what they are told. */
function* enforce({ recording, partition, record: { offset }, outputs }: Replayed): Generator<Replayed> {
  const { clockMs: appendMs } = partition.state;
  for (const output of outputs) {
    if (output.topic !== 'commands' || output.command.session === undefined) continue;
    const { id: command, session } = output.command;
    const id = `enforced/${command}`;
    const acknowledgement = { id, command, session, status: 'enforced' as const, enforcer: 'replay' };
    for (const body of [
      { type: 'published', published: { command, session } } as const,
      { type: 'acknowledgement', acknowledgement } as const,
    ]) {
      yield stepped(recording, undefined, partition, { offset, appendMs, body });
    }
  }
}

/** The record that lets the partition, new as it is, judge by the policy from `first` on. */
export function activation({ activated, plan }: ReplayPolicy, partition: Partition, first: RecordTime): LogRecord {
  partition.plans.set(plan.hash, plan);
  return { offset: first.offset - 1, appendMs: first.appendMs, body: { type: 'policy', policy: activated } };
}

/** The record where another policy is given: its place in the log and its time still count. */
export function withoutPolicy(record: LogRecord): LogRecord {
  return policyNamedBy(record.body) === undefined ? record : { ...record, body: { type: 'tick' } };
}

function stepped(recording: RecordedLog, line: number | undefined, partition: Partition, record: LogRecord): Replayed {
  return { recording, line, partition, record, outputs: step(partition, record) };
}

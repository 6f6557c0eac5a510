import type { ActionEvent } from '../../domain/event.ts';
import type { LogRecord } from '../../domain/record.ts';
import type { PolicyBody } from '../../domain/rule.ts';
import { Partition } from '../../engine/partition.ts';
import { step } from '../../engine/step.ts';
import { decodeRecord } from '../../formats/log-record.ts';
import { ownerTicks } from '../owner-ticks.ts';
import { activation, type RecordTime, type ReplayPolicy, replayPolicy, withoutPolicy } from '../replay.ts';
import type { Remote } from '../threads.ts';
import { Coverage } from './coverage.ts';
import { type Frame, type FramedRecord, type Place, recordsOf } from './frame.ts';
import { CLEAR, inOrder, type JudgedSession, withFinding } from './outcome.ts';
import { type BySide, mapSides, type Side, sidesOf } from './sides.ts';
import { type Refused, refuse, type Totals } from './totals.ts';

/** Sessions that are handed over at once. */
const SESSIONS_AT_ONCE = 2000;
/** Of events whose agent has no role. */
const NO_ROLE = '(no role)';

export type RemoteShard = Remote<Shard>;

/** The clock of a log goes on to a time of each side; 0: it stays. */
interface RunOn {
  offset: number;
  place: Place;
  untilMs: BySide<number>;
}

/**
 * Judges the sessions of its share, by the old and the new rules side by side.
 *
 * It is told of every record of the log. Those of other sessions it steps as ticks, and sessions meet only in the clock
 * of their partition. So its sessions see what they would see in a replay of the whole log, at the same offsets.
 */
export class Shard {
  readonly #policies: BySide<ReplayPolicy>;
  readonly #coverage: Coverage;
  readonly #logs = new Map<number, BySide<Partition>>();
  readonly #sessions = new Map<string, JudgedSession>();
  readonly #texts = new Map<string, string>();
  readonly #refused: Refused = { refused: new Map(), told: [] };
  readonly #ended: BySide<{ judged: number; repeated: number; afterKill: number }>;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  /** The sessions in the order of their first event, once the judging is over. */
  #handedOver: Iterator<JudgedSession> | undefined;

  constructor(rules: BySide<PolicyBody>) {
    const policies = mapSides(rules, (body) => replayPolicy(withoutCrowds(body)));
    this.#coverage = new Coverage(mapSides(policies, ({ plan }) => plan));
    this.#policies = mapSides(policies, ({ activated }, side) => ({ activated, plan: this.#coverage.plans[side]! }));
    this.#ended = mapSides(rules, () => ({ judged: 0, repeated: 0, afterKill: 0 }));
  }

  judge(frame: Frame): void {
    for (const record of recordsOf(frame)) this.#take(record);
  }

  /** When the last of its sessions of the log is looked at again; 0 when nothing is pending there. */
  pendingUntilMs(log: number): BySide<number> {
    const partitions = this.#logs.get(log);
    return mapSides(this.#policies, (_, side) => (partitions === undefined ? 0 : pendingUntilMs(partitions[side]!)));
  }

  runOn(log: number, { offset, place, untilMs }: RunOn): void {
    const partitions = this.#logs.get(log)!;
    for (const side of sidesOf(untilMs)) {
      const appendMs = untilMs[side]!;
      if (appendMs === 0) continue;
      this.#passTime(side, partitions[side]!, { offset, appendMs }, place);
      this.#step(side, partitions[side]!, { offset, appendMs, body: { type: 'tick' } }, place);
    }
  }

  /** Nothing more comes of the log: its state is let go. */
  end(log: number): void {
    const partitions = this.#logs.get(log);
    if (partitions !== undefined) this.#count(partitions);
    this.#logs.delete(log);
  }

  totals(): Totals {
    for (const log of [...this.#logs.keys()]) this.end(log);
    const { all, byAction, byRole, byRule } = this.#coverage;
    const sides = mapSides(this.#ended, (counts, side) => ({ ...counts, byRule: byRule[side]! }));
    return { all, byAction, byRole, sides, ...this.#refused, firstMs: this.#firstMs, lastMs: this.#lastMs };
  }

  /** The next of its sessions, in the order of their first event; empty at the end. */
  takeSessions(): JudgedSession[] {
    this.#handedOver ??= [...this.#sessions.values()].sort(inOrder).values();
    const taken: JudgedSession[] = [];
    while (taken.length < SESSIONS_AT_ONCE) {
      const next = this.#handedOver.next();
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  }

  #take({ log, place, own, ...time }: FramedRecord): void {
    let partitions = this.#logs.get(log);
    if (partitions === undefined) {
      partitions = mapSides(this.#policies, (policy) => begun(policy, log, time));
      this.#logs.set(log, partitions);
    }
    if (own === undefined) {
      this.#judge(partitions, { ...time, body: { type: 'tick' } }, place);
      return;
    }
    const record = withoutPolicy(decodeRecord({ ...time, ...own }, undefined));
    const { body } = record;
    if (body.type === 'refused') refuse(this.#refused, { place, refusal: body.refusal, reason: body.reason });
    if (body.type === 'action') this.#note(body.event, record.appendMs, place);
    this.#judge(partitions, record, place);
  }

  #judge(partitions: BySide<Partition>, record: LogRecord, place: Place): void {
    for (const side of sidesOf(partitions)) {
      const { offset, appendMs } = record;
      this.#passTime(side, partitions[side]!, { offset: offset - 1, appendMs }, place);
      this.#step(side, partitions[side]!, record, place);
    }
  }

  /** What is due until then, as in a replay: a shard has its own sessions pending, and they are due at their own time. */
  #passTime(side: Side, partition: Partition, { offset, appendMs }: RecordTime, place: Place): void {
    for (const tick of ownerTicks(partition, appendMs, offset)) this.#step(side, partition, tick, place);
  }

  #step(side: Side, partition: Partition, record: LogRecord, place: Place): void {
    for (const output of step(partition, record)) {
      if (output.topic !== 'findings' || output.finding.session === undefined) continue;
      const { outcome, events: event } = this.#sessions.get(output.finding.session)!;
      outcome[side] = withFinding(outcome[side]!, output.finding, { place, event });
    }
  }

  #note(event: ActionEvent, appendMs: number, place: Place): void {
    this.#firstMs = Math.min(this.#firstMs, appendMs);
    this.#lastMs = Math.max(this.#lastMs, appendMs);
    const role = this.#text(event.agent.role ?? NO_ROLE);
    this.#coverage.note(event, role);
    let session = this.#sessions.get(event.session);
    if (session === undefined) {
      const agent = this.#text(event.agent.id);
      const outcome = mapSides(this.#policies, () => CLEAR);
      session = { session: event.session, agent, role, place, events: 0, outcome };
      this.#sessions.set(event.session, session);
    }
    session.events++;
  }

  #count(partitions: BySide<Partition>): void {
    for (const side of sidesOf(partitions)) {
      const { judged, repeated, afterKill } = partitions[side]!.state.accounting;
      const ended = this.#ended[side]!;
      ended.judged += judged;
      ended.repeated += repeated;
      ended.afterKill += afterKill;
    }
  }

  /** One text for all sessions that have it. */
  #text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}

function pendingUntilMs({ sessions, state }: Partition): number {
  let lastMs = 0;
  for (const { timerMs } of sessions.values()) lastMs = Math.max(lastMs, timerMs);
  return lastMs > state.clockMs ? lastMs : 0;
}

function begun(policy: ReplayPolicy, log: number, first: RecordTime): Partition {
  const partition = new Partition(`log-${log}`, 0);
  step(partition, activation(policy, partition, first));
  return partition;
}

/** A shard sees only some sessions of an agent: each is judged by itself, however many there are. */
function withoutCrowds({ settings, ...body }: PolicyBody): PolicyBody {
  const { MAX_SAFE_INTEGER: unbounded } = Number;
  return { ...body, settings: { ...settings, newSessionsPerMinute: unbounded, sessionsMax: unbounded } };
}

import { parseInstant } from '../domain/instant.ts';
import { levelRank } from '../domain/level.ts';
import type { Output, Verdict } from '../domain/output.ts';
import type { LogRecord } from '../domain/record.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import { standingOf } from '../engine/level.ts';
import type { Partition } from '../engine/partition.ts';
import { Pause } from '../engine/standing/pause.ts';

export interface RepetitionStart {
  /** Before this offset actions were judged out of a state that is lost: only control records are stepped. */
  judgeFrom: number;
  /** Before this offset somebody has read the log already. */
  until: number;
  /** Verdicts that an earlier owner held back and did not say any more. */
  held?: readonly Verdict[];
  /** The verdicts that stand, where the log no longer holds all that led to them. */
  standing?: readonly Verdict[];
}

/**
 * What is different while a partition reads again what somebody has read before.
 *
 *   log   next ─────────┬──────────────────────────────┬───────── high
 *         control only  judgeFrom      verdicts held   until
 *
 * Verdicts are old news till the end of it, where the latest of each session is said. What the log alone no longer
 * proves, because its beginning is gone, the standing verdicts do: each raises its session where the log passes it.
 */
export class Repetition {
  readonly judgeFrom: number;
  readonly #until: number;
  readonly #held: Map<string, Verdict>;
  /** The first to be passed is the last. */
  readonly #standing: Verdict[];

  constructor({ judgeFrom, until, held = [], standing = [] }: RepetitionStart) {
    this.judgeFrom = judgeFrom;
    this.#until = until;
    this.#held = new Map(held.map((verdict) => [verdict.session, verdict]));
    this.#standing = standing
      .filter(({ level }) => level === 'paused' || level === 'killed')
      .sort((a, b) => offsetOf(b) - offsetOf(a));
  }

  /** What a checkpoint has to remember of it. */
  get rest(): { until: number; held: Verdict[] } {
    return { until: this.#until, held: [...this.#held.values()] };
  }

  /** Nothing is different any more. */
  isOver(next: number): boolean {
    return next >= this.judgeFrom && next >= this.#until && this.#held.size === 0 && this.#standing.length === 0;
  }

  /** No verdict may be said, and no offset be committed: it would be one behind what was committed before. */
  isQuiet(next: number): boolean {
    return next < this.#until;
  }

  /** What is about one session has nothing to be about yet; orders, policies and time are about the partition. */
  skips({ offset, body }: LogRecord): boolean {
    if (offset >= this.judgeFrom) return false;
    switch (body.type) {
      case 'decision':
        return body.decision.session !== undefined;
      case 'policy':
      case 'restated':
      case 'tick':
        return false;
      default:
        return true;
    }
  }

  /** Sessions that `passTo(partition, next)` needs. */
  *passing(next: number): Iterable<string> {
    for (const verdict of this.#standing) if (offsetOf(verdict) < next) yield verdict.session;
  }

  /** Applies the standing verdicts before `next`. */
  passTo(partition: Partition, next: number): void {
    if (next < this.judgeFrom) return;
    for (let last = this.#standing.at(-1); last && offsetOf(last) < next; last = this.#standing.at(-1)) {
      this.#standing.pop();
      if (raise(partition, last, next)) this.#held.delete(last.session);
    }
  }

  /** What may be said of the outputs of records from `first` to before `next`; the verdicts are kept till the end. */
  audible(outputs: Output[], first: number, next: number): Output[] {
    if (first >= this.#until && this.#held.size === 0) return outputs;
    const audible: Output[] = outputs.filter((output) => output.topic !== 'verdicts');
    for (const output of outputs) if (output.topic === 'verdicts') this.#held.set(output.key, output.verdict);
    if (next < this.#until) return audible;
    for (const [key, verdict] of this.#held) audible.push({ topic: 'verdicts', key, verdict });
    this.#held.clear();
    return audible;
  }
}

/** Answers whether the verdict was above what the log that is left comes to. */
function raise(partition: Partition, { session: id, level, command, rule, time }: Verdict, next: number): boolean {
  const session = partition.open(id);
  if (levelRank(level) <= levelRank(session.level)) return false;
  if (session.lastOffset < 0) {
    // Not the verdict's own offset: no session may be ahead of the partition that holds it.
    session.lastOffset = next - 1;
    session.lastMs = Math.max(parseInstant(time), partition.state.rebuiltFromMs ?? 0);
    partition.arm(session, session.lastMs + DEFAULT_SETTINGS.killMarkMs);
  }
  session.level = level;
  session.degraded = true;
  if (level === 'killed') session.shrinkToStub();
  const standing = standingOf(session);
  standing.release = undefined;
  // Without a view: people are asked at the next record, and their silence is no answer.
  standing.pause = level === 'paused' ? new Pause(command, rule, command) : undefined;
  partition.touched(session);
  partition.schedule(session);
  return true;
}

function offsetOf({ position }: Verdict): number {
  return Number(position.offset);
}

import type { ActionEvent } from '../../domain/event.ts';
import { ByteReader, ByteWriter } from '../session/bytes.ts';
import { type Step, stepOf } from '../session/evidence-step.ts';
import type { Arrival, Silence, StepsFeature } from '../window/feature.ts';
import { type Deadline, NONE, type StepsPlan } from './plan.ts';
import { Track } from './track.ts';

/**
 * How often a sequence was completed in the window: the number of actions that completed one.
 *
 * Kept twice as soon as an action arrives whose place in time is unsure. Such an action completes for watch and pause,
 * never for kill; where it ends a sequence, it spares it the kill, never the pause.
 *
 *              an action in its place    one that is moved
 *   #all       takes and ends            takes
 *   #placed    takes and ends                  ends
 *
 * A deadline that only the partition's clock passes is unsure too: what would have come may be on its way. It completes in
 * #all; #placed waits for an action that says so.
 */
export class CompletedSteps implements StepsFeature {
  readonly holds = 'steps';
  readonly withinMs: number;
  #all: Track;
  /** Absent while it would be equal to the other. */
  #placed: Track | undefined;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.#all = new Track(withinMs);
  }

  take(plan: StepsPlan, event: ActionEvent, arrival: Arrival): boolean {
    const { nowMs, timeMs } = arrival;
    const seen = plan.look(event);
    const key = seen === NONE ? undefined : plan.keyOf(event);
    const matters =
      key !== undefined && (this.#all.heeds(plan, seen, key) || this.#placed?.heeds(plan, seen, key) === true);
    if (!matters && plan.deadline === undefined) return false;
    if (this.#placed?.isIdle(plan, nowMs) === true && this.#all.isIdle(plan, nowMs)) this.#placed = undefined;
    if (!matters) {
      this.#all.pass(nowMs);
      this.#placed?.pass(nowMs);
      return false;
    }
    const step = stepOf(event, nowMs, timeMs);
    const isPlaced = nowMs - timeMs <= plan.toleranceMs;
    if (!isPlaced) this.#placed ??= this.#copyOfAll();
    this.#all.take(plan, isPlaced ? seen : seen & plan.taking, key, arrival, step);
    this.#placed?.take(plan, isPlaced ? seen : seen & ~plan.taking, key, arrival, step);
    return (seen & plan.taking) !== 0;
  }

  get deadlineMs(): number {
    return this.#all.deadlineMs;
  }

  passSilence(deadline: Deadline, silence: Silence): boolean {
    this.#all.waitAnew(deadline, silence);
    if (this.#all.deadlineMs > silence.clockMs) return false;
    this.#placed ??= this.#copyOfAll();
    this.#all.completeOverdue(silence);
    return true;
  }

  total(nowMs: number): number {
    return this.#all.total(nowMs);
  }

  placed(nowMs: number): number {
    return (this.#placed ?? this.#all).total(nowMs);
  }

  completed(): { steps: readonly Step[]; count: number } {
    return this.#all.completed;
  }

  endLife(): void {
    this.#all.endLife();
    if (!Number.isFinite(this.withinMs)) this.#placed = undefined;
  }

  size(): number {
    return this.#all.size() + (this.#placed?.size() ?? 0);
  }

  coarsen(): void {
    this.#all.coarsen();
    this.#placed?.coarsen();
  }

  write(to: ByteWriter): void {
    this.#all.write(to);
    to.flag(this.#placed !== undefined);
    this.#placed?.write(to);
  }

  static read(from: ByteReader, withinMs: number): CompletedSteps {
    const feature = new CompletedSteps(withinMs);
    feature.#all = Track.read(from, withinMs);
    if (from.flag()) feature.#placed = Track.read(from, withinMs);
    return feature;
  }

  #copyOfAll(): Track {
    const to = new ByteWriter();
    this.#all.write(to);
    return Track.read(new ByteReader(to.finish()), this.withinMs);
  }
}

import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Standing, ValuesFeature, WeightFeature } from './feature.ts';
import { LifetimeSum } from './lifetime.ts';
import { SlidingSum } from './sliding-sum.ts';

/** So many values are remembered: those that were seen last. */
export const SEEN_MAX = 256;
/** In the place of a horizon: the life of the session. */
const LIFE = 0;

/**
 * Number of first sightings within `withinMs`: of values that were not seen in the `horizonMs` before, or with an
 * infinite horizon in this life of the session.
 *
 *   a   b   a     c  a          b       a, b, c are seen first; b again where the horizon has passed
 *   1   2         3             4
 *   ├────── horizonMs ─────┤
 *
 * When more than SEEN_MAX values are remembered, the one that was not seen for the longest time is forgotten, and counts
 * as new when it comes again: the bound errs towards seeing more.
 */
export class FirstSeen implements ValuesFeature {
  readonly holds = 'values';
  readonly withinMs: number;
  readonly #horizonMs: number;
  /** In the order of the last sighting, the oldest first. */
  #values: number[] = [];
  #lastMs: number[] = [];
  #first: WeightFeature;

  constructor(withinMs: number, horizonMs: number) {
    this.withinMs = withinMs;
    this.#horizonMs = horizonMs;
    this.#first = Number.isFinite(withinMs) ? new SlidingSum(withinMs) : new LifetimeSum();
  }

  add(nowMs: number, value: number, standing: Standing): void {
    this.#forget(this.#lastMs.findIndex((lastMs) => lastMs > nowMs - this.#horizonMs));
    const at = this.#values.indexOf(value);
    if (at >= 0) {
      this.#values.splice(at, 1);
      this.#lastMs.splice(at, 1);
    } else {
      this.#first.add(nowMs, 1, standing);
      if (this.#values.length === SEEN_MAX) this.#forget(1);
    }
    this.#values.push(value);
    this.#lastMs.push(nowMs);
  }

  total(nowMs: number): number {
    return this.#first.total(nowMs);
  }

  placed(nowMs: number): number {
    return this.#first.placed(nowMs);
  }

  /** What was seen before the life is new in the next one; what the window holds runs on. */
  endLife(): void {
    this.#first.endLife();
    if (!Number.isFinite(this.#horizonMs)) this.#forget(-1);
  }

  size(): number {
    return this.#values.length + this.#first.size();
  }

  /** Half of the values are forgotten, and count as new when they come again. */
  coarsen(): void {
    this.#forget(this.#values.length >> 1);
    this.#first.coarsen();
  }

  write(to: ByteWriter): void {
    to.count(Number.isFinite(this.#horizonMs) ? this.#horizonMs : LIFE);
    to.count(this.#values.length);
    let before = 0;
    for (const [i, lastMs] of this.#lastMs.entries()) {
      to.count(this.#values[i]!);
      to.count(lastMs - before);
      before = lastMs;
    }
    this.#first.write(to);
  }

  static read(from: ByteReader, withinMs: number): FirstSeen {
    const horizonMs = from.count();
    const seen = new FirstSeen(withinMs, horizonMs === LIFE ? Number.POSITIVE_INFINITY : horizonMs);
    const size = from.length();
    let lastMs = 0;
    for (let i = 0; i < size; i++) {
      seen.#values.push(from.count());
      lastMs += from.count();
      seen.#lastMs.push(lastMs);
    }
    seen.#first = Number.isFinite(withinMs) ? SlidingSum.read(from, withinMs) : LifetimeSum.read(from);
    return seen;
  }

  /** The oldest so many; -1 for all. */
  #forget(count: number): void {
    if (count === 0) return;
    this.#values.splice(0, count < 0 ? this.#values.length : count);
    this.#lastMs.splice(0, count < 0 ? this.#lastMs.length : count);
  }
}

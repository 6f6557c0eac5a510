import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Standing, ValuesFeature } from './feature.ts';
import { SlidingSum } from './sliding-sum.ts';

/** Up to so many different values at once the number is exact. */
export const EXACT_VALUES = 256;

interface Sighting {
  lastMs: number;
  /** Last sighting that was not moved; -1 without one. */
  placedMs: number;
}

/**
 * Number of different values in the last `withinMs`, each counted until `withinMs` after its last sighting.
 *
 * Exact up to EXACT_VALUES values. While so many are in the window, every sighting of another value counts as one
 * more, seen before or not: the bound errs towards seeing more.
 */
export class SlidingDistinct implements ValuesFeature {
  readonly holds = 'values';
  readonly withinMs: number;
  /** In the order of the last sighting, the oldest first: expiry only looks at the front. */
  #seen = new Map<number, Sighting>();
  readonly #beyond: SlidingSum;

  constructor(withinMs: number, beyond = new SlidingSum(withinMs)) {
    this.withinMs = withinMs;
    this.#beyond = beyond;
  }

  add(nowMs: number, value: number, standing: Standing): void {
    this.#expire(nowMs);
    const known = this.#seen.get(value);
    if (known === undefined && this.#seen.size >= EXACT_VALUES) {
      this.#beyond.add(nowMs, 1, standing);
      return;
    }
    const placedMs = standing === 'placed' ? nowMs : (known?.placedMs ?? -1);
    this.#seen.delete(value);
    this.#seen.set(value, { lastMs: nowMs, placedMs });
  }

  total(nowMs: number): number {
    this.#expire(nowMs);
    return this.#seen.size + this.#beyond.total(nowMs);
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    let count = 0;
    for (const { placedMs } of this.#seen.values()) if (placedMs > nowMs - this.withinMs) count++;
    return count + this.#beyond.placed(nowMs);
  }

  endLife(): void {}

  size(): number {
    return this.#seen.size + this.#beyond.size();
  }

  /** The older half of the values is only counted from now on, as if seen as late as anything counted so. */
  coarsen(): void {
    this.#beyond.coarsen();
    const half = [...this.#seen].slice(0, this.#seen.size >> 1);
    if (half.length === 0) return;
    const latest = Math.max(half.at(-1)![1].lastMs, this.#beyond.lastMs);
    for (const [value] of half) this.#seen.delete(value);
    const placed = half.filter(([, { placedMs }]) => placedMs >= 0).length;
    if (placed > 0) this.#beyond.add(latest, placed, 'placed');
    if (placed < half.length) this.#beyond.add(latest, half.length - placed, 'moved');
  }

  write(to: ByteWriter): void {
    to.count(this.#seen.size);
    let before = 0;
    for (const [value, { lastMs, placedMs }] of this.#seen) {
      to.count(value);
      to.count(lastMs - before);
      to.count(lastMs - placedMs);
      before = lastMs;
    }
    this.#beyond.write(to);
  }

  static read(from: ByteReader, withinMs: number): SlidingDistinct {
    const seen = new Map<number, Sighting>();
    const size = from.length();
    let lastMs = 0;
    for (let i = 0; i < size; i++) {
      const value = from.count();
      lastMs += from.count();
      seen.set(value, { lastMs, placedMs: lastMs - from.count() });
    }
    const window = new SlidingDistinct(withinMs, SlidingSum.read(from, withinMs));
    window.#seen = seen;
    return window;
  }

  #expire(nowMs: number): void {
    for (const [value, { lastMs }] of this.#seen) {
      if (lastMs > nowMs - this.withinMs) return;
      this.#seen.delete(value);
    }
  }
}

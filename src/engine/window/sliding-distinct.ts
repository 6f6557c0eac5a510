import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Standing, ValuesFeature } from './feature.ts';
import { SlidingSum } from './sliding-sum.ts';

/** Up to so many different values at once the number is exact. */
export const EXACT_VALUES = 256;

/** Expired sightings are cut off the arrays when they are so many; until then they only lie before the head. */
const EXPIRED_KEPT = 32;
const NEVER = -1;
const NOTHING = new SlidingSum(1);

/**
 * Number of different values in the last `withinMs`, each counted until `withinMs` after its last sighting.
 *
 * Exact up to EXACT_VALUES values. While so many are in the window, every sighting of another value counts as one
 * more, seen before or not: the bound errs towards seeing more.
 *
 * Flat arrays instead of a map of objects: a search of 256 numbers in a row costs less than a map's cache misses.
 */
export class SlidingDistinct implements ValuesFeature {
  readonly holds = 'values';
  readonly withinMs: number;
  /** In the order of the last sighting, the oldest first: expiry only looks at the front. */
  #values: number[] = [];
  #lastMs: number[] = [];
  /** Of each value the last sighting that was not moved, or NEVER; absent while no sighting was moved. */
  #placedMs: number[] | undefined;
  #head = 0;
  /** Absent until there is something beyond the exact values. */
  #beyond: SlidingSum | undefined;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
  }

  add(nowMs: number, value: number, standing: Standing): void {
    this.#expire(nowMs);
    const at = this.#values.indexOf(value, this.#head);
    if (at < 0 && this.#live >= EXACT_VALUES) {
      this.#countBeyond(nowMs, 1, standing);
      return;
    }
    if (standing === 'moved') this.#placedMs ??= [...this.#lastMs];
    const placedMs = standing === 'placed' ? nowMs : at < 0 ? NEVER : this.#placedMs![at]!;
    if (at < 0) {
      this.#values.push(value);
      this.#lastMs.push(nowMs);
      this.#placedMs?.push(placedMs);
    } else {
      moveToEnd(this.#values, at, value);
      moveToEnd(this.#lastMs, at, nowMs);
      if (this.#placedMs) moveToEnd(this.#placedMs, at, placedMs);
    }
  }

  total(nowMs: number): number {
    this.#expire(nowMs);
    return this.#live + (this.#beyond?.total(nowMs) ?? 0);
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    let count = this.#live;
    if (this.#placedMs) {
      for (let i = this.#head; i < this.#placedMs.length; i++) {
        if (this.#placedMs[i]! <= nowMs - this.withinMs) count--;
      }
    }
    return count + (this.#beyond?.placed(nowMs) ?? 0);
  }

  endLife(): void {}

  size(): number {
    return this.#live + (this.#beyond?.size() ?? 0);
  }

  /** The older half of the values is only counted from now on, as if seen as late as anything counted so. */
  coarsen(): void {
    this.#compact();
    this.#beyond?.coarsen();
    const half = this.#values.length >> 1;
    if (half === 0) return;
    const latest = Math.max(this.#lastMs[half - 1]!, this.#beyond?.lastMs ?? 0);
    const moved = this.#placedMs?.slice(0, half).filter((placedMs) => placedMs === NEVER).length ?? 0;
    this.#head = half;
    this.#compact();
    if (moved < half) this.#countBeyond(latest, half - moved, 'placed');
    if (moved > 0) this.#countBeyond(latest, moved, 'moved');
  }

  write(to: ByteWriter): void {
    to.count(this.#live);
    let before = 0;
    for (let i = this.#head; i < this.#values.length; i++) {
      const lastMs = this.#lastMs[i]!;
      to.count(this.#values[i]!);
      to.count(lastMs - before);
      to.count(this.#placedMs ? lastMs - this.#placedMs[i]! : 0);
      before = lastMs;
    }
    (this.#beyond ?? NOTHING).write(to);
  }

  static read(from: ByteReader, withinMs: number): SlidingDistinct {
    const window = new SlidingDistinct(withinMs);
    const size = from.length();
    const placedMs: number[] = [];
    let lastMs = 0;
    let moved = false;
    for (let i = 0; i < size; i++) {
      window.#values.push(from.count());
      lastMs += from.count();
      window.#lastMs.push(lastMs);
      const behindMs = from.count();
      moved ||= behindMs > 0;
      placedMs.push(lastMs - behindMs);
    }
    if (moved) window.#placedMs = placedMs;
    const beyond = SlidingSum.read(from, withinMs);
    if (beyond.size() > 0) window.#beyond = beyond;
    return window;
  }

  get #live(): number {
    return this.#values.length - this.#head;
  }

  #countBeyond(nowMs: number, weight: number, standing: Standing): void {
    this.#beyond ??= new SlidingSum(this.withinMs);
    this.#beyond.add(nowMs, weight, standing);
  }

  #expire(nowMs: number): void {
    const lastMs = this.#lastMs;
    let head = this.#head;
    while (head < lastMs.length && lastMs[head]! <= nowMs - this.withinMs) head++;
    if (head === this.#head) return;
    this.#head = head;
    if (head === lastMs.length || head > EXPIRED_KEPT) this.#compact();
  }

  #compact(): void {
    if (this.#head === 0) return;
    this.#values.splice(0, this.#head);
    this.#lastMs.splice(0, this.#head);
    this.#placedMs?.splice(0, this.#head);
    this.#head = 0;
    if (this.#values.length === 0) this.#placedMs = undefined;
  }
}

/** Takes what is at `at` out and puts `item` at the end. */
function moveToEnd(items: number[], at: number, item: number): void {
  const end = items.length - 1;
  for (let i = at; i < end; i++) items[i] = items[i + 1]!;
  items[end] = item;
}

import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { DistinctSketch } from './distinct-sketch.ts';
import type { Standing, ValuesFeature } from './feature.ts';
import { SlidingSum } from './sliding-sum.ts';

/** Up to so many different values at once the number is exact. */
export const EXACT_VALUES = 256;

/** Expired sightings are cut off the arrays when they are so many; until then they only lie before the head. */
const EXPIRED_KEPT = 32;
const NEVER = -1;

/**
 * Number of different values in the last `withinMs`, each counted until `withinMs` after its last sighting.
 *
 * Exact up to EXACT_VALUES values. While so many are in the window, of other values it is known how often any was seen,
 * and by a sketch about how many they are: the lower of both counts. So it stays exact while they do not repeat
 * themselves, and errs towards seeing more where they do.
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
  /** Sightings beyond the exact values; absent until there is one, as the sketch of their values is. */
  #sightings: SlidingSum | undefined;
  #beyond: DistinctSketch | undefined;
  /** Without the sightings that were moved; absent while it would be equal. */
  #placedBeyond: DistinctSketch | undefined;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
  }

  add(nowMs: number, value: number, standing: Standing): void {
    this.#expire(nowMs);
    const at = this.#values.indexOf(value, this.#head);
    if (at < 0 && this.#live >= EXACT_VALUES) {
      this.#addBeyond(nowMs, value, standing);
      this.#countSightings(nowMs, 1, standing);
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
    const beyond = Math.min(this.#sightings?.total(nowMs) ?? 0, this.#beyond?.total(nowMs) ?? 0);
    if (beyond === 0) this.#dropEmptySketches();
    return this.#live + beyond;
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    let count = this.#live;
    if (this.#placedMs) {
      for (let i = this.#head; i < this.#placedMs.length; i++) {
        if (this.#placedMs[i]! <= nowMs - this.withinMs) count--;
      }
    }
    const beyond = (this.#placedBeyond ?? this.#beyond)?.total(nowMs) ?? 0;
    return count + Math.min(this.#sightings?.placed(nowMs) ?? 0, beyond);
  }

  endLife(): void {}

  size(): number {
    const beyond = [this.#sightings, this.#beyond, this.#placedBeyond];
    return beyond.reduce((sum, one) => sum + (one?.size() ?? 0), this.#live);
  }

  /** The older half of the values goes beyond the exact ones: from now on they are counted about. */
  coarsen(): void {
    this.#compact();
    for (const one of [this.#sightings, this.#beyond, this.#placedBeyond]) one?.coarsen();
    const half = this.#values.length >> 1;
    if (half === 0) return;
    const latestMs = Math.max(this.#lastMs[half - 1]!, this.#sightings?.lastMs ?? 0);
    let moved = 0;
    for (let at = 0; at < half; at++) {
      const placedMs = this.#placedMs?.[at] ?? this.#lastMs[at]!;
      if (placedMs === NEVER) moved++;
      if (placedMs !== NEVER) this.#addBeyond(placedMs, this.#values[at]!, 'placed');
      if (placedMs !== this.#lastMs[at]!) this.#addBeyond(this.#lastMs[at]!, this.#values[at]!, 'moved');
    }
    if (moved < half) this.#countSightings(latestMs, half - moved, 'placed');
    if (moved > 0) this.#countSightings(latestMs, moved, 'moved');
    this.#head = half;
    this.#compact();
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
    for (const one of [this.#sightings, this.#beyond, this.#placedBeyond]) {
      to.flag(one !== undefined);
      one?.write(to);
    }
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
    if (from.flag()) window.#sightings = SlidingSum.read(from, withinMs);
    if (from.flag()) window.#beyond = DistinctSketch.read(from, withinMs);
    if (from.flag()) window.#placedBeyond = DistinctSketch.read(from, withinMs);
    return window;
  }

  get #live(): number {
    return this.#values.length - this.#head;
  }

  #addBeyond(atMs: number, value: number, standing: Standing): void {
    this.#beyond ??= new DistinctSketch(this.withinMs, atMs);
    if (standing === 'moved' && this.#placedBeyond === undefined) {
      this.#placedBeyond = new DistinctSketch(this.withinMs, this.#beyond.seed);
      this.#placedBeyond.merge(this.#beyond);
    }
    this.#beyond.add(atMs, value);
    if (standing === 'placed') this.#placedBeyond?.add(atMs, value);
  }

  #countSightings(nowMs: number, count: number, standing: Standing): void {
    this.#sightings ??= new SlidingSum(this.withinMs);
    this.#sightings.add(nowMs, count, standing);
  }

  #dropEmptySketches(): void {
    if (this.#beyond?.isEmpty !== true) return;
    this.#sightings = undefined;
    this.#beyond = undefined;
    this.#placedBeyond = undefined;
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

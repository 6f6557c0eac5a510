import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Standing, WeightFeature } from './feature.ts';

/** Up to so many parts every mark stands alone, and the window is exact. */
export const EXACT_MARKS = 32;
/** Beyond that, marks of the same 1/60 of the window share a part, which expires with its latest mark. */
export const PARTS_PER_WINDOW = 60;

/**
 * Sum of the weights of the last `withinMs`.
 *
 *   time ──►      ├──────────────── withinMs ────────────────┤
 *   expired  ·  · │ ▪ ▪▪   ▪ ▪  ███    ███  ███    ███    ███ │ now
 *                   marks alone      marks of one sixtieth together
 *
 * At most EXACT_MARKS + PARTS_PER_WINDOW + 1 parts. The bound errs towards seeing more: a mark stays at most
 * withinMs / 60 too long, none leaves early. The running sum is exact for integer weights up to 2^53; for others it
 * is summed anew from the parts whenever one expires, so that no rounding outlives the mark that caused it.
 */
export class SlidingSum implements WeightFeature {
  readonly holds = 'weights';
  readonly withinMs: number;
  readonly #partMs: number;
  #times: number[] = [];
  #weights: number[] = [];
  /** Weight of the marks in each part that were not moved; absent while none was. */
  #placed: number[] | undefined;
  #head = 0;
  #sum = 0;
  /** All parts and the sum are safe integers: what is taken from the sum leaves the exact rest. */
  #whole = true;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.#partMs = withinMs / PARTS_PER_WINDOW;
  }

  /** Time of the latest mark in the window, 0 without one. */
  get lastMs(): number {
    return this.#times.at(-1) ?? 0;
  }

  add(nowMs: number, weight: number, standing: Standing): void {
    this.addAt(nowMs, nowMs, weight, standing);
  }

  /** A mark at or ahead of `nowMs`, and not before the latest: nothing expires for it. */
  addAt(timeMs: number, nowMs: number, weight: number, standing: Standing): void {
    this.#expire(nowMs);
    if (standing === 'moved') this.#placed ??= [...this.#weights];
    const placed = standing === 'placed' ? weight : 0;
    const last = this.#times.length - 1;
    if (this.size() >= EXACT_MARKS && this.#partOf(this.#times[last]!) === this.#partOf(timeMs)) {
      this.#times[last] = timeMs;
      this.#weights[last]! += weight;
      if (this.#placed) this.#placed[last]! += placed;
    } else {
      this.#times.push(timeMs);
      this.#weights.push(weight);
      this.#placed?.push(placed);
    }
    this.#sum += weight;
    this.#whole &&= Number.isSafeInteger(weight) && Number.isSafeInteger(this.#sum);
  }

  total(nowMs: number): number {
    this.#expire(nowMs);
    return this.#sum;
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    return this.#placed ? this.#sumOf(this.#placed) : this.#sum;
  }

  endLife(): void {}

  size(): number {
    return this.#times.length - this.#head;
  }

  coarsen(): void {
    this.#compact();
    const halve = (values: number[], merge: (a: number, b: number) => number) =>
      values.flatMap((value, i) =>
        i % 2 === 1 ? [] : i + 1 < values.length ? [merge(value, values[i + 1]!)] : [value],
      );
    this.#times = halve(this.#times, (_, later) => later);
    this.#weights = halve(this.#weights, (a, b) => a + b);
    if (this.#placed) this.#placed = halve(this.#placed, (a, b) => a + b);
  }

  write(to: ByteWriter): void {
    this.#compact();
    to.count(this.#times.length);
    let before = 0;
    for (let i = 0; i < this.#times.length; i++) {
      const time = this.#times[i]!;
      to.count(time - before);
      before = time;
      to.number(this.#weights[i]!);
    }
    to.number(this.#sum);
    to.flag(this.#whole);
    to.flag(this.#placed !== undefined);
    for (const weight of this.#placed ?? []) to.number(weight);
  }

  static read(from: ByteReader, withinMs: number): SlidingSum {
    const window = new SlidingSum(withinMs);
    const parts = from.length();
    let time = 0;
    for (let i = 0; i < parts; i++) {
      time += from.count();
      window.#times.push(time);
      window.#weights.push(from.number());
    }
    window.#sum = from.number();
    window.#whole = from.flag();
    if (from.flag()) window.#placed = window.#weights.map(() => from.number());
    return window;
  }

  #partOf(timeMs: number): number {
    return Math.floor(timeMs / this.#partMs);
  }

  #expire(nowMs: number): void {
    const times = this.#times;
    const before = this.#head;
    while (this.#head < times.length && times[this.#head]! <= nowMs - this.withinMs) {
      this.#sum -= this.#weights[this.#head]!;
      this.#head++;
    }
    if (this.#head === before) return;
    if (!this.#whole) {
      this.#sum = this.#sumOf(this.#weights);
      this.#whole = Number.isSafeInteger(this.#sum) && this.#holdsWhole();
    }
    if (this.#head === times.length || this.#head > EXACT_MARKS) this.#compact();
  }

  /** Of what is in the window: parts that expired may still lie before it, and are gone from its bytes. */
  #holdsWhole(): boolean {
    for (let i = this.#head; i < this.#weights.length; i++) if (!Number.isSafeInteger(this.#weights[i])) return false;
    return true;
  }

  #sumOf(weights: readonly number[]): number {
    let sum = 0;
    for (let i = this.#head; i < weights.length; i++) sum += weights[i]!;
    return sum;
  }

  #compact(): void {
    if (this.#head > 0) {
      this.#times.splice(0, this.#head);
      this.#weights.splice(0, this.#head);
      this.#placed?.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#times.length === 0) {
      this.#sum = 0;
      this.#whole = true;
    }
    if (this.#placed?.every((weight, part) => weight === this.#weights[part])) this.#placed = undefined;
  }
}

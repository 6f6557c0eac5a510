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
 * is summed anew from the parts whenever one expires, so that rounding cannot pile up.
 */
export class SlidingSum implements WeightFeature {
  readonly holds = 'weights';
  readonly withinMs: number;
  readonly #partMs: number;
  #times: number[] = [];
  #weights: number[] = [];
  /** Weight of moved marks in each part; absent while no mark of the window was moved. */
  #moved: number[] | undefined;
  #head = 0;
  #sum = 0;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.#partMs = withinMs / PARTS_PER_WINDOW;
  }

  /** Time of the latest mark in the window, 0 without one. */
  get lastMs(): number {
    return this.#times.at(-1) ?? 0;
  }

  add(nowMs: number, weight: number, standing: Standing): void {
    this.#expire(nowMs);
    if (standing === 'moved') this.#moved ??= this.#weights.map(() => 0);
    const last = this.#times.length - 1;
    if (this.size() >= EXACT_MARKS && this.#partOf(this.#times[last]!) === this.#partOf(nowMs)) {
      this.#times[last] = nowMs;
      this.#weights[last]! += weight;
      if (this.#moved && standing === 'moved') this.#moved[last]! += weight;
    } else {
      this.#times.push(nowMs);
      this.#weights.push(weight);
      this.#moved?.push(standing === 'moved' ? weight : 0);
    }
    this.#sum += weight;
  }

  total(nowMs: number): number {
    this.#expire(nowMs);
    return this.#sum;
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    if (!this.#moved) return this.#sum;
    let moved = 0;
    for (let i = this.#head; i < this.#moved.length; i++) moved += this.#moved[i]!;
    return this.#sum - moved;
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
    if (this.#moved) this.#moved = halve(this.#moved, (a, b) => a + b);
  }

  write(to: ByteWriter): void {
    this.#compact();
    to.count(this.#times.length);
    let before = 0;
    for (const [i, time] of this.#times.entries()) {
      to.count(time - before);
      before = time;
      to.number(this.#weights[i]!);
    }
    to.number(this.#sum);
    to.flag(this.#moved !== undefined);
    for (const weight of this.#moved ?? []) to.number(weight);
  }

  static read(from: ByteReader, withinMs: number): SlidingSum {
    const window = new SlidingSum(withinMs);
    const parts = from.count();
    let time = 0;
    for (let i = 0; i < parts; i++) {
      time += from.count();
      window.#times.push(time);
      window.#weights.push(from.number());
    }
    window.#sum = from.number();
    if (from.flag()) window.#moved = window.#weights.map(() => from.number());
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
    if (!Number.isSafeInteger(this.#sum)) this.#sum = this.#summedAnew();
    if (this.#head === times.length || this.#head > EXACT_MARKS) this.#compact();
  }

  #summedAnew(): number {
    let sum = 0;
    for (let i = this.#head; i < this.#weights.length; i++) sum += this.#weights[i]!;
    return sum;
  }

  #compact(): void {
    this.#times.splice(0, this.#head);
    this.#weights.splice(0, this.#head);
    this.#moved?.splice(0, this.#head);
    this.#head = 0;
    if (this.#times.length === 0) this.#sum = 0;
    if (this.#moved?.every((weight) => weight === 0)) this.#moved = undefined;
  }
}

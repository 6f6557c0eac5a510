import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { NumberFeature, Standing } from './feature.ts';
import { SlidingSum } from './sliding-sum.ts';

/**
 * Average of the numbers of the last `withinMs`.
 *
 * Two sums that take every mark at once, so their parts always have the same edges: it is the exact average of a window
 * that is at most 1/60 longer, wherever the sums themselves are no longer exact. It errs neither way: what stays too
 * long may be high or low.
 */
export class SlidingAverage implements NumberFeature {
  readonly holds = 'numbers';
  readonly withinMs: number;
  #sum: SlidingSum;
  #numbers: SlidingSum;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.#sum = new SlidingSum(withinMs);
    this.#numbers = new SlidingSum(withinMs);
  }

  add(nowMs: number, number: number, standing: Standing): void {
    this.#sum.add(nowMs, number, standing);
    this.#numbers.add(nowMs, 1, standing);
  }

  total(nowMs: number): number {
    const sum = this.#sum.total(nowMs);
    const numbers = this.#numbers.total(nowMs);
    return numbers === 0 ? 0 : sum / numbers;
  }

  placed(nowMs: number): number {
    const sum = this.#sum.placed(nowMs);
    const numbers = this.#numbers.placed(nowMs);
    if (numbers > 0) return sum / numbers;
    return this.#numbers.size() === 0 ? 0 : Number.NaN;
  }

  endLife(): void {}

  size(): number {
    return this.#sum.size() + this.#numbers.size();
  }

  coarsen(): void {
    this.#sum.coarsen();
    this.#numbers.coarsen();
  }

  write(to: ByteWriter): void {
    this.#sum.write(to);
    this.#numbers.write(to);
  }

  static read(from: ByteReader, withinMs: number): SlidingAverage {
    const window = new SlidingAverage(withinMs);
    window.#sum = SlidingSum.read(from, withinMs);
    window.#numbers = SlidingSum.read(from, withinMs);
    return window;
  }
}

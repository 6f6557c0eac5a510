import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { NumberFeature, Standing } from './feature.ts';
import { EXACT_MARKS, PARTS_PER_WINDOW } from './sliding-sum.ts';

export type Extreme = 'min' | 'max';

/**
 * Highest or lowest number of the last `withinMs`.
 *
 * Exact until 32 marks stand on the stairs (see `Stairs`); beyond that the extreme stays at most withinMs / 60 too long,
 * and none leaves early: a maximum errs to higher, a minimum to lower. What was moved in time has stairs of its own
 * beside those of all marks, since it may hide a placed mark that is lower and stays longer.
 */
export class SlidingExtreme implements NumberFeature {
  readonly holds = 'numbers';
  readonly withinMs: number;
  readonly extreme: Extreme;
  /** Minimum is the maximum of the negated numbers. */
  readonly #sign: 1 | -1;
  #all: Stairs;
  /** Without the moved marks; absent while there are none. */
  #placed: Stairs | undefined;

  constructor(withinMs: number, extreme: Extreme) {
    this.withinMs = withinMs;
    this.extreme = extreme;
    this.#sign = extreme === 'max' ? 1 : -1;
    this.#all = new Stairs(withinMs);
  }

  add(nowMs: number, number: number, standing: Standing): void {
    if (standing === 'moved') this.#placed ??= this.#all.copy();
    this.#all.add(nowMs, this.#sign * number);
    if (standing === 'placed') this.#placed?.add(nowMs, this.#sign * number);
  }

  total(nowMs: number): number {
    const highest = this.#all.highest(nowMs);
    if (highest === undefined) this.#placed = undefined;
    return highest === undefined ? 0 : this.#sign * highest;
  }

  placed(nowMs: number): number {
    if (this.#all.highest(nowMs) === undefined || this.#placed === undefined) return this.total(nowMs);
    const highest = this.#placed.highest(nowMs);
    return highest === undefined ? Number.NaN : this.#sign * highest;
  }

  endLife(): void {}

  size(): number {
    return this.#all.size + (this.#placed?.size ?? 0);
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

  static read(from: ByteReader, withinMs: number, extreme: Extreme): SlidingExtreme {
    const window = new SlidingExtreme(withinMs, extreme);
    window.#all = Stairs.read(from, withinMs);
    if (from.flag()) window.#placed = Stairs.read(from, withinMs);
    return window;
  }
}

/**
 * The marks that can still become the highest: each later one is lower.
 *
 *   number │ ▪
 *          │    ▪  ▪
 *          │          ▪        a new mark removes all that are not higher than itself
 *          └──────────────► time
 *
 * At most EXACT_MARKS + PARTS_PER_WINDOW + 1: beyond EXACT_MARKS a mark joins the one before it in the same 1/60 of the
 * window, which keeps its number and stands until the new one's time.
 */
class Stairs {
  readonly #withinMs: number;
  readonly #partMs: number;
  #times: number[] = [];
  #numbers: number[] = [];

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
    this.#partMs = withinMs / PARTS_PER_WINDOW;
  }

  get size(): number {
    return this.#times.length;
  }

  add(nowMs: number, number: number): void {
    this.#expire(nowMs);
    while (this.#numbers.length > 0 && this.#numbers.at(-1)! <= number) {
      this.#numbers.pop();
      this.#times.pop();
    }
    const last = this.#times.length - 1;
    if (this.size >= EXACT_MARKS && this.#partOf(this.#times[last]!) === this.#partOf(nowMs)) {
      this.#times[last] = nowMs;
      return;
    }
    this.#times.push(nowMs);
    this.#numbers.push(number);
  }

  highest(nowMs: number): number | undefined {
    this.#expire(nowMs);
    return this.#numbers[0];
  }

  coarsen(): void {
    const { length } = this.#times;
    this.#times = this.#times.filter((_, i) => i % 2 === 1 || i === length - 1);
    this.#numbers = this.#numbers.filter((_, i) => i % 2 === 0);
  }

  copy(): Stairs {
    const copy = new Stairs(this.#withinMs);
    copy.#times = [...this.#times];
    copy.#numbers = [...this.#numbers];
    return copy;
  }

  write(to: ByteWriter): void {
    to.count(this.size);
    let before = 0;
    for (const [i, timeMs] of this.#times.entries()) {
      to.count(timeMs - before);
      to.number(this.#numbers[i]!);
      before = timeMs;
    }
  }

  static read(from: ByteReader, withinMs: number): Stairs {
    const stairs = new Stairs(withinMs);
    const size = from.length();
    let timeMs = 0;
    for (let i = 0; i < size; i++) {
      timeMs += from.count();
      stairs.#times.push(timeMs);
      stairs.#numbers.push(from.number());
    }
    return stairs;
  }

  #partOf(timeMs: number): number {
    return Math.floor(timeMs / this.#partMs);
  }

  #expire(nowMs: number): void {
    let expired = 0;
    while (expired < this.#times.length && this.#times[expired]! <= nowMs - this.#withinMs) expired++;
    if (expired === 0) return;
    this.#times.splice(0, expired);
    this.#numbers.splice(0, expired);
  }
}

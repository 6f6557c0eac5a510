import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { NumberFeature, ValuesFeature, WeightFeature } from './feature.ts';
import { EXACT_VALUES } from './sliding-distinct.ts';
import type { Extreme } from './sliding-extreme.ts';

/** Sum over the life of the session. Order does not matter here, so no mark is ever moved. */
export class LifetimeSum implements WeightFeature {
  readonly holds = 'weights';
  readonly withinMs = Number.POSITIVE_INFINITY;
  #sum = 0;

  add(_nowMs: number, weight: number): void {
    this.#sum += weight;
  }
  total(): number {
    return this.#sum;
  }
  placed(): number {
    return this.#sum;
  }
  endLife(): void {
    this.#sum = 0;
  }
  size(): number {
    return 1;
  }
  coarsen(): void {}
  write(to: ByteWriter): void {
    to.number(this.#sum);
  }
  static read(from: ByteReader): LifetimeSum {
    const feature = new LifetimeSum();
    feature.#sum = from.number();
    return feature;
  }
}

/** Average over the life of the session. */
export class LifetimeAverage implements NumberFeature {
  readonly holds = 'numbers';
  readonly withinMs = Number.POSITIVE_INFINITY;
  #sum = 0;
  #numbers = 0;

  add(_nowMs: number, number: number): void {
    this.#sum += number;
    this.#numbers++;
  }
  total(): number {
    return this.#numbers === 0 ? 0 : this.#sum / this.#numbers;
  }
  placed(): number {
    return this.total();
  }
  endLife(): void {
    this.#sum = 0;
    this.#numbers = 0;
  }
  size(): number {
    return 1;
  }
  coarsen(): void {}
  write(to: ByteWriter): void {
    to.number(this.#sum);
    to.count(this.#numbers);
  }
  static read(from: ByteReader): LifetimeAverage {
    const feature = new LifetimeAverage();
    feature.#sum = from.number();
    feature.#numbers = from.count();
    return feature;
  }
}

/** Highest or lowest number over the life of the session. */
export class LifetimeExtreme implements NumberFeature {
  readonly holds = 'numbers';
  readonly withinMs = Number.POSITIVE_INFINITY;
  readonly extreme: Extreme;
  #found: number | undefined;

  constructor(extreme: Extreme) {
    this.extreme = extreme;
  }

  add(_nowMs: number, number: number): void {
    this.#found = this.#found === undefined ? number : Math[this.extreme](this.#found, number);
  }
  total(): number {
    return this.#found ?? 0;
  }
  placed(): number {
    return this.total();
  }
  endLife(): void {
    this.#found = undefined;
  }
  size(): number {
    return 1;
  }
  coarsen(): void {}
  write(to: ByteWriter): void {
    to.flag(this.#found !== undefined);
    if (this.#found !== undefined) to.number(this.#found);
  }
  static read(from: ByteReader, extreme: Extreme): LifetimeExtreme {
    const feature = new LifetimeExtreme(extreme);
    if (from.flag()) feature.#found = from.number();
    return feature;
  }
}

/**
 * Number of different values over the life of the session: exact up to EXACT_VALUES, beyond that every sighting of a
 * value that is not among them counts as one more. Errs towards seeing more.
 */
export class LifetimeDistinct implements ValuesFeature {
  readonly holds = 'values';
  readonly withinMs = Number.POSITIVE_INFINITY;
  #seen = new Set<number>();
  #beyond = 0;

  add(_nowMs: number, value: number): void {
    if (this.#seen.has(value)) return;
    if (this.#seen.size < EXACT_VALUES) this.#seen.add(value);
    else this.#beyond++;
  }
  total(): number {
    return this.#seen.size + this.#beyond;
  }
  placed(): number {
    return this.total();
  }
  endLife(): void {
    this.#seen.clear();
    this.#beyond = 0;
  }
  size(): number {
    return this.#seen.size + 1;
  }
  /** Half of the values are only counted from now on: a repeat of one of them counts again. */
  coarsen(): void {
    const half = [...this.#seen].slice(0, this.#seen.size >> 1);
    for (const value of half) this.#seen.delete(value);
    this.#beyond += half.length;
  }
  write(to: ByteWriter): void {
    to.count(this.#seen.size);
    for (const value of this.#seen) to.count(value);
    to.count(this.#beyond);
  }
  static read(from: ByteReader): LifetimeDistinct {
    const feature = new LifetimeDistinct();
    const size = from.length();
    for (let i = 0; i < size; i++) feature.#seen.add(from.count());
    feature.#beyond = from.count();
    return feature;
  }
}

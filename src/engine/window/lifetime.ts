import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { DistinctSketch } from './distinct-sketch.ts';
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
 * Number of different values over the life of the session: exact up to EXACT_VALUES. Of the others it is known how often
 * any was seen, and by a sketch about how many they are: the lower of both counts. Errs towards seeing more.
 */
export class LifetimeDistinct implements ValuesFeature {
  readonly holds = 'values';
  readonly withinMs = Number.POSITIVE_INFINITY;
  #seen = new Set<number>();
  #sightings = 0;
  #beyond: DistinctSketch | undefined;

  add(nowMs: number, value: number): void {
    if (this.#seen.has(value)) return;
    if (this.#seen.size < EXACT_VALUES && this.#beyond === undefined) this.#seen.add(value);
    else this.#addBeyond(nowMs, value);
  }
  total(): number {
    return this.#seen.size + Math.min(this.#sightings, this.#beyond?.total(0) ?? 0);
  }
  placed(): number {
    return this.total();
  }
  endLife(): void {
    this.#seen.clear();
    this.#sightings = 0;
    this.#beyond = undefined;
  }
  size(): number {
    return this.#seen.size + 1 + (this.#beyond?.size() ?? 0);
  }
  /** Half of the values are counted so from now on, and so is every new one: no value counts twice. */
  coarsen(): void {
    const half = [...this.#seen].slice(0, this.#seen.size >> 1);
    for (const value of half) {
      this.#seen.delete(value);
      this.#addBeyond(0, value);
    }
  }
  write(to: ByteWriter): void {
    to.count(this.#seen.size);
    for (const value of this.#seen) to.count(value);
    to.count(this.#sightings);
    to.flag(this.#beyond !== undefined);
    this.#beyond?.write(to);
  }
  static read(from: ByteReader): LifetimeDistinct {
    const feature = new LifetimeDistinct();
    const size = from.length();
    for (let i = 0; i < size; i++) feature.#seen.add(from.count());
    feature.#sightings = from.count();
    if (from.flag()) feature.#beyond = DistinctSketch.read(from, Number.POSITIVE_INFINITY);
    return feature;
  }

  #addBeyond(nowMs: number, value: number): void {
    this.#beyond ??= new DistinctSketch(Number.POSITIVE_INFINITY, nowMs);
    this.#beyond.add(0, value);
    this.#sightings++;
  }
}

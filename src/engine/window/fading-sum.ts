import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Standing, WeightFeature } from './feature.ts';

/** After so many half-lives without a mark nothing is left: a millionth of it would be. */
export const HALF_LIVES_KEPT = 20;

/**
 * Sum of weights, each of which halves with every half-life since its mark. It fades by time alone: what an agent does
 * in between takes nothing from it.
 *
 *   weight │▪▁           ▪▂
 *          │  ▔▔▔▁▁▁▁       ▔▔▔▁▁▁▁
 *          └────────────────────────► time
 *
 * The sum as it was at the last mark is all that is kept, and only a mark changes it: how often somebody looks, or
 * where batches are cut, makes no difference to a single bit. Runs on over the lives of the session.
 */
export class FadingSum implements WeightFeature {
  readonly holds = 'weights';
  /** The time until nothing is left. */
  readonly withinMs: number;
  readonly #halfLifeMs: number;
  #sum = 0;
  /** The same of the marks that were not moved. */
  #placed = 0;
  #atMs = 0;

  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.#halfLifeMs = withinMs / HALF_LIVES_KEPT;
  }

  add(nowMs: number, weight: number, standing: Standing): void {
    this.#sum = this.total(nowMs) + weight;
    this.#placed = this.placed(nowMs) + (standing === 'placed' ? weight : 0);
    this.#atMs = nowMs;
  }

  total(nowMs: number): number {
    return this.#sum * this.#rest(nowMs);
  }

  placed(nowMs: number): number {
    return this.#placed * this.#rest(nowMs);
  }

  endLife(): void {}

  size(): number {
    return 1;
  }

  coarsen(): void {}

  write(to: ByteWriter): void {
    to.number(this.#sum);
    to.number(this.#placed);
    to.count(this.#atMs);
  }

  static read(from: ByteReader, withinMs: number): FadingSum {
    const sum = new FadingSum(withinMs);
    sum.#sum = from.number();
    sum.#placed = from.number();
    sum.#atMs = from.count();
    return sum;
  }

  #rest(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    return elapsedMs >= this.withinMs ? 0 : halved(elapsedMs / this.#halfLifeMs);
  }
}

/** Terms of the series below: the next one is less than a double can tell from 1. */
const TERMS = 18;

/**
 * 2 to the power of minus `times`, from 0 to HALF_LIVES_KEPT. Only additions, multiplications and divisions, which
 * IEEE 754 fixes to the bit: `Math.pow` may differ between two versions of the runtime, and a replay with it.
 */
export function halved(times: number): number {
  const whole = Math.floor(times);
  const exponent = -(times - whole) * Math.LN2;
  let sum = 1;
  for (let term = TERMS; term > 0; term--) sum = 1 + (exponent / term) * sum;
  for (let i = 0; i < whole; i++) sum /= 2;
  return sum;
}

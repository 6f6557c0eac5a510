import type { Standing } from '../../src/engine/window/feature.ts';

interface Mark {
  atMs: number;
  weight: number;
  standing: Standing;
  /** It found the window full: this one and its neighbours may stand together. */
  crowded: boolean;
}

/** Keeps every mark and looks at all of them: slow, and too simple to be wrong. */
export class SumOracle {
  readonly marks: Mark[] = [];
  readonly #withinMs: number;
  readonly #exact: number;

  constructor(withinMs: number, exact: number) {
    this.#withinMs = withinMs;
    this.#exact = exact;
  }

  add(atMs: number, weight: number, standing: Standing): void {
    const crowded = this.marks.filter((mark) => mark.atMs > atMs - this.#withinMs).length >= this.#exact;
    this.marks.push({ atMs, weight, standing, crowded });
  }

  within(nowMs: number, withinMs: number, standing?: Standing): number {
    return sum(
      this.marks
        .filter((mark) => mark.atMs > nowMs - withinMs && (standing === undefined || mark.standing === standing))
        .map(({ weight }) => weight),
    );
  }

  /** Whether no mark in the window came when it was full. */
  isExact(nowMs: number): boolean {
    return !this.marks.some((mark) => mark.crowded && mark.atMs > nowMs - this.#withinMs);
  }
}

interface Sighting {
  atMs: number;
  value: number;
  standing: Standing;
  crowded: boolean;
}

export class DistinctOracle {
  readonly sightings: Sighting[] = [];
  readonly #withinMs: number;
  readonly #exact: number;

  constructor(withinMs: number, exact: number) {
    this.#withinMs = withinMs;
    this.#exact = exact;
  }

  add(atMs: number, value: number, standing: Standing): void {
    const values = this.#values(atMs, this.#withinMs);
    this.sightings.push({ atMs, value, standing, crowded: !values.has(value) && values.size >= this.#exact });
  }

  within(nowMs: number, standing?: Standing): number {
    return this.#values(nowMs, this.#withinMs, standing).size;
  }

  /** Values of sightings that found the set full. */
  crowded(nowMs: number): number {
    const inWindow = this.sightings.filter((one) => one.crowded && one.atMs > nowMs - this.#withinMs);
    return new Set(inWindow.map(({ value }) => value)).size;
  }

  #values(nowMs: number, withinMs: number, standing?: Standing): Set<number> {
    return new Set(
      this.sightings
        .filter((one) => one.atMs > nowMs - withinMs && (standing === undefined || one.standing === standing))
        .map(({ value }) => value),
    );
  }
}

/** Kahan's sum, so that the oracle does not round where the window must not. */
function sum(weights: number[]): number {
  let total = 0;
  let lost = 0;
  for (const weight of [...weights].sort((a, b) => a - b)) {
    const term = weight - lost;
    const next = total + term;
    lost = next - total - term;
    total = next;
  }
  return total;
}

import type { ByteReader, ByteWriter } from '../session/bytes.ts';

/** 2 ** BITS registers. The standard error of the estimate is 1.04 / sqrt(registers): 6.5 % with 256. */
const BITS = 8;
/** Where a session has too little room for that: 26 % with 16. */
const BITS_MIN = 4;
/** What is answered lies so many standard errors above the estimate: in about one of 700 cases it is below the truth,
 * and among few values where two fall together. */
const MARGIN = 3;

/** A rank, and when it was seen last. */
interface Sighting {
  rank: number;
  atMs: number;
}

/**
 * About how many different values were seen in the last `withinMs`, in a few KiB whatever their number. It is a HyperLogLog
 * over a sliding window: of each register those sightings are kept that may still become its highest.
 *
 *   rank  7 ┤ ●                          the highest now
 *         4 ┤      ●                     the highest once 7 has left the window
 *         2 ┤            ●   ·           2 hides an earlier 2, and anything lower before it
 *           └──────────────────► time
 *
 * It counts no value twice, in whatever order they come, and two of them merge into that of both. What it answers errs
 * towards more: the estimate and three standard errors.
 * Source: Flajolet and others, HyperLogLog, 2007; Chabchoub and Hebrail, Sliding HyperLogLog, 2010.
 */
export class DistinctSketch {
  readonly withinMs: number;
  /** Only sketches of one seed merge. */
  readonly seed: number;
  #bits = BITS;
  /** By register; each by rising time and falling rank. */
  #sightings = new Map<number, Sighting[]>();

  /** `seed`: what whoever chooses the values does not know, such as the moment it begins; else they could all fall on one. */
  constructor(withinMs: number, seed: number) {
    this.withinMs = withinMs;
    this.seed = seed;
  }

  get isEmpty(): boolean {
    return this.#sightings.size === 0;
  }

  add(atMs: number, value: number): void {
    const hash = scattered(value, this.seed);
    const rank = Math.min(Math.clz32(hash << this.#bits) + 1, 33 - this.#bits);
    this.#note(hash >>> (32 - this.#bits), { rank, atMs: Number.isFinite(this.withinMs) ? atMs : 0 });
  }

  /** Takes the values of one with the same seed, and of no fewer registers. */
  merge(other: DistinctSketch): void {
    if (other.seed !== this.seed) throw new Error('sketches of two seeds do not merge');
    while (this.#bits > other.#bits) this.#fold();
    if (this.#bits < other.#bits) throw new Error('a finer sketch does not merge into a coarser one');
    for (const [register, sightings] of other.#sightings) for (const one of sightings) this.#note(register, one);
  }

  total(nowMs: number): number {
    this.#expire(nowMs - this.withinMs);
    const seen = this.#sightings.size;
    if (seen === 0) return 0;
    const registers = 2 ** this.#bits;
    let sum = registers - seen;
    for (const sightings of this.#sightings.values()) sum += 2 ** -sightings[0]!.rank;
    const estimate = (alphaOf(registers) * registers * registers) / sum;
    // While many registers are empty, their number says more than the ranks.
    if (estimate > 2.5 * registers || seen === registers)
      return Math.round(estimate * (1 + (MARGIN * 1.04) / Math.sqrt(registers)));
    const few = registers * Math.log(registers / (registers - seen));
    const load = few / registers;
    return Math.round(few + MARGIN * Math.sqrt(registers * (Math.exp(load) - load - 1)));
  }

  /** In parts of PART_BYTES: three sightings fit into one. */
  size(): number {
    let size = 0;
    for (const { length } of this.#sightings.values()) size += length;
    return Math.ceil(size / 3);
  }

  /**
   * First each register keeps its highest rank only, as if it had been seen last: values are seen longer. After that two
   * registers become one: the error grows, and with it what is added.
   */
  coarsen(): void {
    if ([...this.#sightings.values()].every(({ length }) => length === 1)) {
      if (this.#bits > BITS_MIN) this.#fold();
      return;
    }
    for (const [register, sightings] of this.#sightings) {
      this.#sightings.set(register, [{ rank: sightings[0]!.rank, atMs: sightings.at(-1)!.atMs }]);
    }
  }

  write(to: ByteWriter): void {
    to.count(this.seed);
    to.byte(this.#bits);
    to.count(this.#sightings.size);
    let latestMs = 0;
    for (const sightings of this.#sightings.values()) latestMs = Math.max(latestMs, sightings.at(-1)!.atMs);
    to.count(latestMs);
    for (const register of [...this.#sightings.keys()].sort((a, b) => a - b)) {
      const sightings = this.#sightings.get(register)!;
      to.byte(register);
      to.count(sightings.length);
      for (const { rank, atMs } of sightings) {
        to.byte(rank);
        to.count(latestMs - atMs);
      }
    }
  }

  static read(from: ByteReader, withinMs: number): DistinctSketch {
    const sketch = new DistinctSketch(withinMs, from.count());
    sketch.#bits = from.byte();
    if (sketch.#bits < BITS_MIN || sketch.#bits > BITS) throw new RangeError('a sketch of no such number of registers');
    const registers = from.length();
    const latestMs = from.count();
    for (let i = 0; i < registers; i++) {
      const register = from.byte();
      for (let left = from.length(); left > 0; left--) {
        sketch.#note(register, { rank: from.byte(), atMs: latestMs - from.count() });
      }
    }
    return sketch;
  }

  /** Drops what it hides: everything before it that is no higher. It is dropped itself where a later one is as high. */
  #note(register: number, { rank, atMs }: Sighting): void {
    const sightings = this.#sightings.get(register);
    if (sightings === undefined) {
      this.#sightings.set(register, [{ rank, atMs }]);
      return;
    }
    let to = sightings.length;
    while (to > 0 && sightings[to - 1]!.atMs > atMs) to--;
    const [later, same] = [sightings[to], sightings[to - 1]];
    if ((later !== undefined && later.rank >= rank) || (same?.atMs === atMs && same.rank >= rank)) return;
    let from = to;
    while (from > 0 && sightings[from - 1]!.rank <= rank) from--;
    sightings.splice(from, to - from, { rank, atMs });
  }

  /** As if it had been of half the registers from the beginning: the bit that told two apart is the first of the rest. */
  #fold(): void {
    const finer = this.#sightings;
    this.#sightings = new Map();
    this.#bits--;
    for (const [register, sightings] of finer)
      for (const { rank, atMs } of sightings)
        this.#note(register >>> 1, { rank: (register & 1) === 1 ? 1 : rank + 1, atMs });
  }

  #expire(beforeMs: number): void {
    for (const [register, sightings] of this.#sightings) {
      if (sightings[0]!.atMs > beforeMs) continue;
      const live = sightings.findIndex(({ atMs }) => atMs > beforeMs);
      if (live < 0) this.#sightings.delete(register);
      else sightings.splice(0, live);
    }
  }
}

function alphaOf(registers: number): number {
  return registers === 16
    ? 0.673
    : registers === 32
      ? 0.697
      : registers === 64
        ? 0.709
        : 0.7213 / (1 + 1.079 / registers);
}

/** 32 bits of a value in which every bit of both tells. (The finish of MurmurHash3, public domain.) */
function scattered(value: number, seed: number): number {
  const seeded = Math.imul((seed >>> 0) ^ Math.floor(seed / 2 ** 32), 0x27d4eb2f);
  let hash = (value >>> 0) ^ Math.imul(Math.floor(value / 2 ** 32) ^ seeded, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

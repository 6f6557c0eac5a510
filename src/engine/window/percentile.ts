import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { NumberFeature, Standing } from './feature.ts';
import { EXACT_MARKS, PARTS_PER_WINDOW } from './sliding-sum.ts';

/** So many cells are kept. Beyond that they get coarser. */
export const CELLS_MAX = 256;
/** Two numbers of one bucket differ by less than this part of the lower one: the sixteenth of four bits of mantissa. */
export const BUCKET_WIDTH = 1 / 16;

/** Numbers of one bucket in one part of the window, each of which counts as the largest of them. */
interface Cell {
  largest: number;
  marks: number;
  /** Those of them that were not moved. */
  placed: number;
}

interface Part {
  lastMs: number;
  /** In ascending order. */
  cells: Cell[];
}

/**
 * The number that at least `percent` of 100 numbers of the last `withinMs` do not exceed (nearest rank), or with an
 * infinite window those of this life.
 *
 *   number │         ▪     ▪▪          a cell: one part of the window, one bucket of numbers
 *          │ ▪   ▪  ▪▪▪  ▪ ▪▪▪
 *          │ ▪  ▪▪       ▪ ▪
 *          └────────────────────► time
 *
 * Exact up to EXACT_MARKS marks. Beyond that those of the same 1/60 of the window leave together with the latest, so it
 * is that of a window up to 1/60 longer; and a number counts as the largest of its bucket, so it errs to higher, by
 * less than BUCKET_WIDTH of itself. Beyond CELLS_MAX buckets are merged in pairs: it errs further, to higher too.
 */
export class Percentile implements NumberFeature {
  readonly holds = 'numbers';
  readonly withinMs: number;
  readonly #percent: number;
  #parts: Part[] = [];

  constructor(withinMs: number, percent: number) {
    this.withinMs = withinMs;
    this.#percent = percent;
  }

  add(nowMs: number, number: number, standing: Standing): void {
    this.#expire(nowMs);
    let part = this.#parts.at(-1);
    if (part === undefined || this.#parts.length < EXACT_MARKS || this.#partOf(part.lastMs) !== this.#partOf(nowMs)) {
      part = { lastMs: nowMs, cells: [] };
      this.#parts.push(part);
    }
    part.lastMs = nowMs;
    const cell = cellOf(part, number);
    cell.largest = Math.max(cell.largest, number);
    cell.marks++;
    if (standing === 'placed') cell.placed++;
    if (this.#cells() > CELLS_MAX) this.coarsen();
  }

  total(nowMs: number): number {
    this.#expire(nowMs);
    return this.#parts.length === 0 ? 0 : this.#ranked('marks');
  }

  placed(nowMs: number): number {
    this.#expire(nowMs);
    return this.#parts.length === 0 ? 0 : this.#ranked('placed');
  }

  endLife(): void {
    if (!Number.isFinite(this.withinMs)) this.#parts = [];
  }

  size(): number {
    return this.#parts.length + this.#cells();
  }

  /** Two neighbouring buckets count as the upper one; where each part has one bucket, two parts leave together. */
  coarsen(): void {
    if (this.#parts.some(({ cells }) => cells.length > 1)) {
      for (const part of this.#parts) part.cells = pairs(part.cells, merged);
    } else {
      this.#parts = pairs(this.#parts, ({ cells: [a] }, { lastMs, cells: [b] }) => {
        const cells = [a!, b!].sort(ascending);
        return { lastMs, cells: bucketOf(a!.largest) === bucketOf(b!.largest) ? pairs(cells, merged) : cells };
      });
    }
  }

  write(to: ByteWriter): void {
    to.number(this.#percent);
    to.count(this.#parts.length);
    let before = 0;
    for (const { lastMs, cells } of this.#parts) {
      to.count(lastMs - before);
      before = lastMs;
      to.count(cells.length);
      for (const { largest, marks, placed } of cells) {
        to.number(largest);
        to.count(marks);
        to.count(placed);
      }
    }
  }

  static read(from: ByteReader, withinMs: number): Percentile {
    const window = new Percentile(withinMs, from.number());
    const parts = from.length();
    let lastMs = 0;
    for (let i = 0; i < parts; i++) {
      lastMs += from.count();
      const part: Part = { lastMs, cells: [] };
      const size = from.length();
      for (let at = 0; at < size; at++) {
        part.cells.push({ largest: from.number(), marks: from.count(), placed: from.count() });
      }
      window.#parts.push(part);
    }
    return window;
  }

  #ranked(of: 'marks' | 'placed'): number {
    const cells = this.#parts.flatMap((part) => part.cells).filter((cell) => cell[of] > 0);
    const marks = cells.reduce((sum, cell) => sum + cell[of], 0);
    let rank = Math.max(1, Math.ceil((this.#percent * marks) / 100));
    for (const cell of cells.sort(ascending)) {
      rank -= cell[of];
      if (rank <= 0) return cell.largest;
    }
    return Number.NaN; // all marks were moved
  }

  #cells(): number {
    return this.#parts.reduce((sum, { cells }) => sum + cells.length, 0);
  }

  #partOf(timeMs: number): number {
    return Math.floor(timeMs / (this.withinMs / PARTS_PER_WINDOW));
  }

  #expire(nowMs: number): void {
    const live = this.#parts.findIndex(({ lastMs }) => lastMs > nowMs - this.withinMs);
    if (live !== 0) this.#parts.splice(0, live < 0 ? this.#parts.length : live);
  }
}

const BITS = new DataView(new ArrayBuffer(8));

/** The upper 16 bits of the double: sign, exponent and four bits of mantissa. */
function bucketOf(number: number): number {
  BITS.setFloat64(0, number);
  return BITS.getUint16(0);
}

function cellOf({ cells }: Part, number: number): Cell {
  const known = cells.find(({ largest }) => bucketOf(largest) === bucketOf(number));
  if (known !== undefined) return known;
  const cell: Cell = { largest: number, marks: 0, placed: 0 };
  const above = cells.findIndex(({ largest }) => largest > number);
  cells.splice(above < 0 ? cells.length : above, 0, cell);
  return cell;
}

function ascending(a: Cell, b: Cell): number {
  return a.largest - b.largest;
}

function merged(a: Cell, b: Cell): Cell {
  return { largest: Math.max(a.largest, b.largest), marks: a.marks + b.marks, placed: a.placed + b.placed };
}

function pairs<T>(items: readonly T[], merge: (a: T, b: T) => T): T[] {
  return items.flatMap((item, i) => {
    if (i % 2 === 1) return [];
    return i + 1 < items.length ? [merge(item, items[i + 1]!)] : [item];
  });
}

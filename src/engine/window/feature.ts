import type { ByteWriter } from '../session/bytes.ts';

/**
 * How far a mark's place in time can be trusted. A `moved` mark arrived so late that it stands visibly later in the
 * window than it happened: it counts for watch and pause, never for kill.
 */
export type Standing = 'placed' | 'moved';

/** What one session keeps for one measure. Times are the session clock, ms, and never fall. */
export type Feature = WeightFeature | NumberFeature | ValuesFeature;

interface Windowed {
  /** Length of the window; Infinity for the life of the session. */
  readonly withinMs: number;
  /** The measure of all marks that are in the window at `nowMs`, 0 without any. Expired ones are dropped on the way. */
  total(nowMs: number): number;
  /**
   * The same without the moved ones: what a kill may rest on. NaN where a number such as a minimum rests on moved marks
   * alone, so that no kill can.
   */
  placed(nowMs: number): number;
  /** The session's life ended: forget what counts over it. Sliding windows run on. */
  endLife(): void;
  /** Stored parts, to bound the state: see `boundSession`. */
  size(): number;
  /** Merges neighbouring parts until about half are left. Errs towards seeing marks longer. */
  coarsen(): void;
  write(to: ByteWriter): void;
}

export interface WeightFeature extends Windowed {
  readonly holds: 'weights';
  add(nowMs: number, weight: number, standing: Standing): void;
}

export interface NumberFeature extends Windowed {
  readonly holds: 'numbers';
  add(nowMs: number, number: number, standing: Standing): void;
}

export interface ValuesFeature extends Windowed {
  readonly holds: 'values';
  add(nowMs: number, value: number, standing: Standing): void;
}

import type { ActionEvent } from '../../domain/event.ts';
import type { Deadline, StepsPlan } from '../sequence/plan.ts';
import type { ByteWriter } from '../session/bytes.ts';
import type { Step } from '../session/evidence-step.ts';

/** A part of a window takes so many bytes at most: two numbers of 9 and a time. */
export const PART_BYTES = 24;

/**
 * How far a mark's place in time can be trusted. A `moved` mark arrived so late that it stands visibly later in the
 * window than it happened: it counts for watch and pause, never for kill.
 */
export type Standing = 'placed' | 'moved';

/** What one session keeps for one measure. Times are the session clock, ms, and never fall. */
export type Feature = WeightFeature | NumberFeature | ValuesFeature | StepsFeature;

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

/** When an action came. */
export interface Arrival {
  /** Session clock. */
  nowMs: number;
  /** The action's own time. */
  timeMs: number;
  /** Partition clock. */
  clockMs: number;
}

/** A look at what waits while no action comes. */
export interface Silence {
  /** Session clock, as the last action left it. */
  nowMs: number;
  /** Partition clock. */
  clockMs: number;
  /** Partition clock when it jumped last: over a jump nobody could say anything, so the time begins anew there. */
  jumpedMs: number;
}

export interface StepsFeature extends Windowed {
  readonly holds: 'steps';
  /** Takes an action further in what it continues. Answers whether it is one of the steps. */
  take(plan: StepsPlan, event: ActionEvent, arrival: Arrival): boolean;
  /** Partition clock at which the first thing that waits is complete if nothing ends it before; NEVER without any. */
  readonly deadlineMs: number;
  /** Completes what has waited to its deadline. Answers whether there was any. */
  passSilence(deadline: Deadline, silence: Silence): boolean;
  /** The steps that were completed last, in order, as far as they are kept, and how many there were. */
  completed(): { steps: readonly Step[]; count: number };
}

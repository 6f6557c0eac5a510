import type { ActionEvent } from '../../domain/event.ts';

/**
 * A `sequence` or `temporal` measure, ready to judge. A step of n runs stands as n stages:
 *
 *   gather (runs 3)          send
 *   ┌───────┬───────┬───────┬───────┐
 *   │ stage │ stage │ stage │ stage │
 *   └───────┴───────┴───────┴───────┘
 */
export interface StepsPlan {
  order: 'sequence' | 'temporal';
  /** All that decides what it counts, as canonical JSON: equal texts share their state. */
  meaning: string;
  stages: readonly Stage[];
  /** A stage that is this old, ms, is no longer continued. Infinity: as long as the session lives. */
  maxspanMs: number;
  /** How far an action may lie behind the session clock, ms, for its place in time to be sure. */
  toleranceMs: number;
  /** What must stay away so long, ms, after the last stage. */
  deadline: Deadline | undefined;
  /** Steps that something can begin with. */
  beginning: Steps;
  /** Steps that take a stage. What else `look` finds only ends something. */
  taking: Steps;
  /** Which steps an action is. */
  look(event: ActionEvent): Steps;
  /** One number for the values that are equal in all steps; undefined where a field has no value: no step at all. */
  keyOf(event: ActionEvent): number | undefined;
}

export interface Deadline {
  unless: Steps;
  withinMs: number;
}

export interface Stage {
  step: Steps;
  /** It comes less than so long after the stage before it, ms. */
  gapMs: number;
  /** What must not come between the stage before it and this one. */
  unless: Steps;
}

/** A set of steps, as bits, in the order of the measure; and UNTIL. */
export type Steps = number;
export const NONE: Steps = 0;
export const UNTIL: Steps = 1 << 30;

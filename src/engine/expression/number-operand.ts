import { notFinite, wrongType } from './fault.ts';
import type { Values } from './term.ts';

export type NumberRun = (values: Values) => number;

/** A compiled number, still saying whether it is a constant or a slot, so that its user can skip a closure call. */
export type NumberOperand =
  | { kind: 'constant'; value: number }
  | { kind: 'slot'; slot: number }
  | { kind: 'computed'; run: NumberRun };

/** Throws for NaN and both infinities; `x - x` is 0 for every other number. */
export function finite(value: number): number {
  if (value - value !== 0) throw notFinite;
  return value;
}

export function readNumber(values: Values, slot: number): number {
  const value = values[slot];
  if (typeof value !== 'number') throw wrongType;
  if (value - value !== 0) throw notFinite;
  return value;
}

export function runOf(operand: NumberOperand): NumberRun {
  switch (operand.kind) {
    case 'constant': {
      const { value } = operand;
      return () => value;
    }
    case 'slot': {
      const { slot } = operand;
      return (values) => readNumber(values, slot);
    }
    default:
      return operand.run;
  }
}

import { finite, type NumberOperand, type NumberRun, readNumber, runOf } from './number-operand.ts';
import type { ArithmeticOperator, ComparisonOperator } from './operators.ts';
import type { Values } from './term.ts';

type BooleanRun = (values: Values) => boolean;
type Shapes<Run> = {
  slots: (left: number, right: number) => Run;
  withConstant: (left: NumberRun, right: number) => Run;
  general: (left: NumberRun, right: NumberRun) => Run;
};

// One closure per operator and shape: a closure call costs more than the operation, so the two commonest shapes
// (a name with a name, anything with a constant) do without one or both.
const arithmetic: Record<ArithmeticOperator, Shapes<NumberRun>> = {
  '+': {
    slots: (l, r) => (v) => finite(readNumber(v, l) + readNumber(v, r)),
    withConstant: (l, r) => (v) => finite(l(v) + r),
    general: (l, r) => (v) => finite(l(v) + r(v)),
  },
  '-': {
    slots: (l, r) => (v) => finite(readNumber(v, l) - readNumber(v, r)),
    withConstant: (l, r) => (v) => finite(l(v) - r),
    general: (l, r) => (v) => finite(l(v) - r(v)),
  },
  '*': {
    slots: (l, r) => (v) => finite(readNumber(v, l) * readNumber(v, r)),
    withConstant: (l, r) => (v) => finite(l(v) * r),
    general: (l, r) => (v) => finite(l(v) * r(v)),
  },
  '/': {
    slots: (l, r) => (v) => finite(readNumber(v, l) / readNumber(v, r)),
    withConstant: (l, r) => (v) => finite(l(v) / r),
    general: (l, r) => (v) => finite(l(v) / r(v)),
  },
  '^': {
    slots: (l, r) => (v) => finite(readNumber(v, l) ** readNumber(v, r)),
    withConstant: (l, r) => (v) => finite(l(v) ** r),
    general: (l, r) => (v) => finite(l(v) ** r(v)),
  },
};

// Exact, unlike mathjs, whose `>=` holds for 0.9999999999999 and 1. The operands are finite already.
const comparison: Record<ComparisonOperator, Shapes<BooleanRun>> = {
  '<': {
    slots: (l, r) => (v) => readNumber(v, l) < readNumber(v, r),
    withConstant: (l, r) => (v) => l(v) < r,
    general: (l, r) => (v) => l(v) < r(v),
  },
  '<=': {
    slots: (l, r) => (v) => readNumber(v, l) <= readNumber(v, r),
    withConstant: (l, r) => (v) => l(v) <= r,
    general: (l, r) => (v) => l(v) <= r(v),
  },
  '>': {
    slots: (l, r) => (v) => readNumber(v, l) > readNumber(v, r),
    withConstant: (l, r) => (v) => l(v) > r,
    general: (l, r) => (v) => l(v) > r(v),
  },
  '>=': {
    slots: (l, r) => (v) => readNumber(v, l) >= readNumber(v, r),
    withConstant: (l, r) => (v) => l(v) >= r,
    general: (l, r) => (v) => l(v) >= r(v),
  },
};

const mirrored: Record<ComparisonOperator, ComparisonOperator> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** The closure throws `notFinite` when the result is not a finite number. */
export function compileArithmetic(operator: ArithmeticOperator, left: NumberOperand, right: NumberOperand): NumberRun {
  // `3 * p99` is the usual way to write it; the product of finite numbers is the same either way round.
  const commutes = operator === '*' || operator === '+';
  if (commutes && left.kind === 'constant') return pick(arithmetic[operator], right, left);
  return pick(arithmetic[operator], left, right);
}

export function compileComparison(operator: ComparisonOperator, left: NumberOperand, right: NumberOperand): BooleanRun {
  if (left.kind === 'constant') return pick(comparison[mirrored[operator]], right, left);
  return pick(comparison[operator], left, right);
}

function pick<Run>(shapes: Shapes<Run>, left: NumberOperand, right: NumberOperand): Run {
  if (right.kind === 'constant') return shapes.withConstant(runOf(left), right.value);
  if (left.kind === 'slot' && right.kind === 'slot') return shapes.slots(left.slot, right.slot);
  return shapes.general(runOf(left), runOf(right));
}

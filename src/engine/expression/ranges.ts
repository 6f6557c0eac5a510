import type { ComparisonOperator } from './operators.ts';
import type { BooleanTerm, NumberTerm } from './term.ts';

/** Every value that a number can have lies in it; what cannot be told is wider, never narrower. */
export interface Range {
  lo: number;
  hi: number;
}

export const ANY: Range = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
export const NOT_NEGATIVE: Range = { lo: 0, hi: Number.POSITIVE_INFINITY };
/** By slot; an absent one is `ANY`. */
export type Ranges = ReadonlyMap<number, Range>;

export function rangeOf(term: NumberTerm, slots: Ranges): Range {
  switch (term.kind) {
    case 'constant':
      return { lo: term.value, hi: term.value };
    case 'slot':
      return slots.get(term.slot) ?? ANY;
    case 'negate': {
      const { lo, hi } = rangeOf(term.of, slots);
      return { lo: -hi, hi: -lo };
    }
    case 'arithmetic':
      return arithmetic(term.operator, rangeOf(term.left, slots), rangeOf(term.right, slots));
    case 'numberCall':
      return called(
        term.name,
        term.args.map((arg) => rangeOf(arg, slots)),
      );
    case 'conditional':
      return hull([rangeOf(term.whenTrue, slots), rangeOf(term.whenFalse, slots)]);
    default:
      return term satisfies never;
  }
}

function arithmetic(operator: string, a: Range, b: Range): Range {
  const positive = a.lo >= 0 && b.lo >= 0;
  if (operator === '+') return { lo: a.lo + b.lo, hi: a.hi + b.hi };
  if (operator === '-') return { lo: a.lo - b.hi, hi: a.hi - b.lo };
  if (operator === '*' && positive) return { lo: product(a.lo, b.lo), hi: product(a.hi, b.hi) };
  if (operator === '/' && positive) return NOT_NEGATIVE;
  return ANY;
}

/** Nothing is ever infinite, a bound may be: nothing of an unbounded amount is nothing. */
function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function called(name: string, args: Range[]): Range {
  if (name === 'max') return { lo: Math.max(...args.map(({ lo }) => lo)), hi: Math.max(...args.map(({ hi }) => hi)) };
  if (name === 'min') return { lo: Math.min(...args.map(({ lo }) => lo)), hi: Math.min(...args.map(({ hi }) => hi)) };
  return name === 'abs' || name === 'sqrt' || name === 'exp' ? NOT_NEGATIVE : ANY;
}

function hull(ranges: Range[]): Range {
  return { lo: Math.min(...ranges.map(({ lo }) => lo)), hi: Math.max(...ranges.map(({ hi }) => hi)) };
}

/** Whether it is proven that the condition never holds. False says nothing. */
export function neverHolds(term: BooleanTerm, slots: Ranges): boolean {
  switch (term.kind) {
    case 'constant':
      return !term.value;
    case 'comparison':
      return !possible(term.operator, rangeOf(term.left, slots), rangeOf(term.right, slots));
    case 'logic': {
      if (term.operator === 'or') return neverHolds(term.left, slots) && neverHolds(term.right, slots);
      const parts = conjuncts(term);
      const narrowed = narrow(parts, slots);
      return parts.some((part) => neverHolds(part, narrowed));
    }
    default:
      return false;
  }
}

function possible(operator: ComparisonOperator, left: Range, right: Range): boolean {
  // Only crossed bounds meet no value at all: `deletes > 10 and deletes < 5`.
  if (left.lo > left.hi || right.lo > right.hi) return false;
  switch (operator) {
    case '>':
      return left.hi > right.lo;
    case '>=':
      return left.hi >= right.lo;
    case '<':
      return left.lo < right.hi;
    case '<=':
      return left.lo <= right.hi;
    default:
      return operator satisfies never;
  }
}

function conjuncts(term: BooleanTerm): BooleanTerm[] {
  if (term.kind !== 'logic' || term.operator !== 'and') return [term];
  return [...conjuncts(term.left), ...conjuncts(term.right)];
}

/** What is left of each slot where all the parts hold. Open bounds are kept closed, which is wider. */
function narrow(parts: readonly BooleanTerm[], slots: Ranges): Ranges {
  const narrowed = new Map(slots);
  for (const part of parts) {
    if (part.kind !== 'comparison') continue;
    const rising = part.operator === '>' || part.operator === '>=';
    const [more, less] = rising ? [part.left, part.right] : [part.right, part.left];
    bound(narrowed, more, { lo: rangeOf(less, slots).lo, hi: Number.POSITIVE_INFINITY });
    bound(narrowed, less, { lo: Number.NEGATIVE_INFINITY, hi: rangeOf(more, slots).hi });
  }
  return narrowed;
}

function bound(narrowed: Map<number, Range>, term: NumberTerm, { lo, hi }: Range): void {
  if (term.kind !== 'slot') return;
  const before = narrowed.get(term.slot) ?? ANY;
  narrowed.set(term.slot, { lo: Math.max(before.lo, lo), hi: Math.min(before.hi, hi) });
}

import { type Ranges, rangeOf } from './ranges.ts';
import type { BooleanTerm, NumberTerm, Term } from './term.ts';

/** `min` inside `max` inside `min` has too many ways to be proven; what was not found by then is not proven. */
const STEPS_MAX = 5000;

/** Whether it is proven that the second condition holds wherever the first one does. False says nothing. */
export function implies(first: BooleanTerm, second: BooleanTerm, slots: Ranges): boolean {
  return new Proof(slots).implies(first, second);
}

class Proof {
  readonly #slots: Ranges;
  #steps = 0;

  constructor(slots: Ranges) {
    this.#slots = slots;
  }

  implies(p: BooleanTerm, q: BooleanTerm): boolean {
    if (++this.#steps > STEPS_MAX) return false;
    if (same(p, q)) return true;
    if ((p.kind === 'constant' && !p.value) || (q.kind === 'constant' && q.value)) return true;
    if (p.kind === 'logic' && p.operator === 'or') return this.implies(p.left, q) && this.implies(p.right, q);
    if (q.kind === 'logic' && q.operator === 'and') return this.implies(p, q.left) && this.implies(p, q.right);
    if (p.kind === 'logic' && (this.implies(p.left, q) || this.implies(p.right, q))) return true;
    if (q.kind === 'logic') return this.implies(p, q.left) || this.implies(p, q.right);
    if (p.kind !== 'comparison' || q.kind !== 'comparison') return false;
    const [a, b] = [rising(p), rising(q)];
    if (!this.#atMost(a.more, b.more) || !this.#atMost(b.less, a.less)) return false;
    // `x >= 5` does not bring `x > 5`, it brings `x > 4`.
    return (
      a.strict ||
      !b.strict ||
      (!same(a.more, b.more) && constantsDiffer(a.more, b.more)) ||
      constantsDiffer(a.less, b.less)
    );
  }

  /** Whether the first number is proven to be no more than the second one, whatever the values. */
  #atMost(a: NumberTerm, b: NumberTerm): boolean {
    if (++this.#steps > STEPS_MAX) return false;
    if (same(a, b) || rangeOf(a, this.#slots).hi <= rangeOf(b, this.#slots).lo) return true;
    const [called, other] = [callOf(a), callOf(b)];
    if (called?.name === 'max') return called.args.every((one) => this.#atMost(one, b));
    if (other?.name === 'min') return other.args.every((one) => this.#atMost(a, one));
    if (called?.name === 'min' && called.args.some((one) => this.#atMost(one, b))) return true;
    if (other?.name === 'max' && other.args.some((one) => this.#atMost(a, one))) return true;
    const [x, y] = [scaled(a), scaled(b)];
    if (same(x.of, y.of) && rangeOf(x.of, this.#slots).lo >= 0) return x.factor <= y.factor;
    if (a.kind === 'arithmetic' && b.kind === 'arithmetic' && a.operator === '+' && b.operator === '+') {
      return this.#atMost(a.left, b.left) && this.#atMost(a.right, b.right);
    }
    return false;
  }
}

/** Every comparison says that one side is more than the other. */
function rising({ operator, left, right }: Extract<BooleanTerm, { kind: 'comparison' }>) {
  const strict = operator === '>' || operator === '<';
  return operator === '>' || operator === '>='
    ? { more: left, less: right, strict }
    : { more: right, less: left, strict };
}

function constantsDiffer(a: Term, b: Term): boolean {
  return a.kind === 'constant' && b.kind === 'constant' && a.value !== b.value;
}

/** `3 * x`, `x * 3` and `x / 2` as a factor and what it multiplies. */
function scaled(term: NumberTerm): { factor: number; of: NumberTerm } {
  if (term.kind === 'arithmetic') {
    const { operator, left, right } = term;
    if (operator === '*' && left.kind === 'constant') return { factor: left.value, of: right };
    if (operator === '*' && right.kind === 'constant') return { factor: right.value, of: left };
    if (operator === '/' && right.kind === 'constant') return { factor: 1 / right.value, of: left };
  }
  return { factor: 1, of: term };
}

function callOf(term: NumberTerm): Extract<NumberTerm, { kind: 'numberCall' }> | undefined {
  return term.kind === 'numberCall' ? term : undefined;
}

function same(a: Term, b: Term): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

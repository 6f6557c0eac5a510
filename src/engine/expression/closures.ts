import { compileArithmetic, compileComparison } from './arithmetic.ts';
import { wrongType } from './fault.ts';
import { compileNumberCall } from './number-calls.ts';
import { type NumberOperand, type NumberRun, readNumber, runOf } from './number-operand.ts';
import type { BooleanTerm, Conditional, NumberTerm, StringTerm, Term, Value, Values, ValueType } from './term.ts';

export type Run<T = Value> = (values: Values) => T;

/**
 * A checked term as nested closures over the values. Nothing is generated as source, so it runs under
 * `--disallow-code-generation-from-strings` too.
 *
 * A closure throws only `ExpressionFault`s. Every number it reads or computes is finite, or it faults at once: a NaN
 * never makes a comparison silently false, and `min(1 / 0, 5)` is a fault, not 5. What `and`, `or` and a conditional
 * skip is not read and cannot fault.
 */
export function compileTerm(term: Term): Run {
  switch (term.type) {
    case 'number':
      return compileNumber(term);
    case 'boolean':
      return compileBoolean(term);
    default:
      return compileString(term);
  }
}

function compileNumber(term: NumberTerm): NumberRun {
  return runOf(numberOperand(term));
}

function numberOperand(term: NumberTerm): NumberOperand {
  switch (term.kind) {
    case 'constant':
      return { kind: 'constant', value: term.value };
    case 'slot':
      return { kind: 'slot', slot: term.slot };
    default:
      return { kind: 'computed', run: computedNumber(term) };
  }
}

function computedNumber(term: Exclude<NumberTerm, { kind: 'constant' | 'slot' }>): NumberRun {
  switch (term.kind) {
    case 'negate': {
      const of = compileNumber(term.of);
      return (values) => -of(values);
    }
    case 'arithmetic':
      return compileArithmetic(term.operator, numberOperand(term.left), numberOperand(term.right));
    case 'numberCall':
      return compileNumberCall(term.name, term.args.map(numberOperand));
    default:
      return compileConditional(term, compileNumber(term.whenTrue), compileNumber(term.whenFalse));
  }
}

function compileBoolean(term: BooleanTerm): Run<boolean> {
  switch (term.kind) {
    case 'constant':
      return always(term.value);
    case 'slot':
      return readSlot(term.slot, 'boolean');
    case 'not': {
      const of = compileBoolean(term.of);
      return (values) => !of(values);
    }
    case 'logic': {
      const left = compileBoolean(term.left);
      const right = compileBoolean(term.right);
      return term.operator === 'and'
        ? (values) => left(values) && right(values)
        : (values) => left(values) || right(values);
    }
    case 'comparison':
      return compileComparison(term.operator, numberOperand(term.left), numberOperand(term.right));
    case 'equality':
      return compileEquality(term.operator, term.left, term.right);
    case 'textCall': {
      const [text, part] = term.args.map(compileString) as [Run<string>, Run<string>];
      return term.name === 'contains'
        ? (values) => text(values).includes(part(values))
        : (values) => text(values).startsWith(part(values));
    }
    case 'oneOf':
      return compileOneOf(term.subject, term.options);
    default:
      return compileConditional(term, compileBoolean(term.whenTrue), compileBoolean(term.whenFalse));
  }
}

function compileString(term: StringTerm): Run<string> {
  switch (term.kind) {
    case 'constant':
      return always(term.value);
    case 'slot':
      return readSlot(term.slot, 'string');
    default:
      return compileConditional(term, compileString(term.whenTrue), compileString(term.whenFalse));
  }
}

function compileConditional<T>(term: Conditional<ValueType>, whenTrue: Run<T>, whenFalse: Run<T>): Run<T> {
  const condition = compileBoolean(term.condition);
  return (values) => (condition(values) ? whenTrue(values) : whenFalse(values));
}

function compileEquality(operator: '==' | '!=', left: Term, right: Term): Run<boolean> {
  const a = compileTerm(left);
  if (right.kind === 'constant') {
    const { value } = right;
    return operator === '==' ? (values) => a(values) === value : (values) => a(values) !== value;
  }
  const b = compileTerm(right);
  return operator === '==' ? (values) => a(values) === b(values) : (values) => a(values) !== b(values);
}

/** Options are tried in order and those after the first equal one are not evaluated, as with a chain of `or`. */
function compileOneOf(subject: Term, options: Term[]): Run<boolean> {
  const wanted = compileTerm(subject);
  const constants = options.flatMap((option) => (option.kind === 'constant' ? [option.value] : []));
  if (constants.length === options.length) return (values) => constants.includes(wanted(values));
  const runs = options.map(compileTerm);
  return (values) => {
    const value = wanted(values);
    for (const run of runs) if (run(values) === value) return true;
    return false;
  };
}

function always<T extends Value>(value: T): Run<T> {
  return () => value;
}

function readSlot(slot: number, type: 'boolean'): Run<boolean>;
function readSlot(slot: number, type: 'string'): Run<string>;
function readSlot(slot: number, type: ValueType): Run {
  if (type === 'number') return (values) => readNumber(values, slot);
  return (values) => {
    const value = values[slot];
    if (typeof value !== type) throw wrongType;
    return value as Value;
  };
}

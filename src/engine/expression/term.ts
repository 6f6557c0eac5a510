import type { NumberFunction, TextFunction } from './functions.ts';
import type { ArithmeticOperator, ComparisonOperator, EqualityOperator, LogicOperator } from './operators.ts';

export type ValueType = 'number' | 'boolean' | 'string';
export type Value = number | boolean | string;
/** Indexed by slot. The hot path passes a plain array. */
export type Values = ArrayLike<Value>;

interface ValueOf {
  number: number;
  boolean: boolean;
  string: string;
}
interface TermOf {
  number: NumberTerm;
  boolean: BooleanTerm;
  string: StringTerm;
}

export interface Constant<T extends ValueType> {
  kind: 'constant';
  type: T;
  value: ValueOf[T];
}
export interface Slot<T extends ValueType> {
  kind: 'slot';
  type: T;
  slot: number;
}
export interface Conditional<T extends ValueType> {
  kind: 'conditional';
  type: T;
  condition: BooleanTerm;
  whenTrue: TermOf[T];
  whenFalse: TermOf[T];
}

/** What a checked expression is: only these kinds exist, so nothing else can be evaluated. */
export type NumberTerm =
  | Constant<'number'>
  | Slot<'number'>
  | Conditional<'number'>
  | { kind: 'negate'; type: 'number'; of: NumberTerm }
  | { kind: 'arithmetic'; type: 'number'; operator: ArithmeticOperator; left: NumberTerm; right: NumberTerm }
  | { kind: 'numberCall'; type: 'number'; name: NumberFunction; args: NumberTerm[] };

export type BooleanTerm =
  | Constant<'boolean'>
  | Slot<'boolean'>
  | Conditional<'boolean'>
  | { kind: 'not'; type: 'boolean'; of: BooleanTerm }
  | { kind: 'logic'; type: 'boolean'; operator: LogicOperator; left: BooleanTerm; right: BooleanTerm }
  | { kind: 'comparison'; type: 'boolean'; operator: ComparisonOperator; left: NumberTerm; right: NumberTerm }
  | { kind: 'equality'; type: 'boolean'; operator: EqualityOperator; left: Term; right: Term }
  | { kind: 'textCall'; type: 'boolean'; name: TextFunction; args: [StringTerm, StringTerm] }
  | { kind: 'oneOf'; type: 'boolean'; subject: Term; options: Term[] };

export type StringTerm = Constant<'string'> | Slot<'string'> | Conditional<'string'>;

export type Term = NumberTerm | BooleanTerm | StringTerm;

export function constant(value: Value): Term {
  switch (typeof value) {
    case 'number':
      return { kind: 'constant', type: 'number', value };
    case 'boolean':
      return { kind: 'constant', type: 'boolean', value };
    default:
      return { kind: 'constant', type: 'string', value };
  }
}

/** The terms directly below a term, in source order. */
export function childrenOf(term: Term): Term[] {
  switch (term.kind) {
    case 'constant':
    case 'slot':
      return [];
    case 'negate':
    case 'not':
      return [term.of];
    case 'arithmetic':
    case 'logic':
    case 'comparison':
    case 'equality':
      return [term.left, term.right];
    case 'numberCall':
    case 'textCall':
      return term.args;
    case 'oneOf':
      return [term.subject, ...term.options];
    case 'conditional':
      return [term.condition, term.whenTrue, term.whenFalse];
    default:
      return term satisfies never;
  }
}

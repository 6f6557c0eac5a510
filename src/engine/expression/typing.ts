import { parseDuration } from '../../domain/duration.ts';
import { compileTerm } from './closures.ts';
import { ExpressionFault } from './fault.ts';
import { arityOf, isNumberFunction, isTextFunction } from './functions.ts';
import { type BinaryOperator, operatorKinds } from './operators.ts';
import type { ExpressionProblem } from './problem.ts';
import {
  type BooleanTerm,
  childrenOf,
  constant,
  type NumberTerm,
  type StringTerm,
  type Term,
  type ValueType,
} from './term.ts';

/** A term, or undefined where a problem was already reported: what contains it then stays silent. */
export type Checked = Term | undefined;

/**
 * Makes typed terms from their parts: no conversion between types, ever, and constant parts become one constant.
 * Each function reports to `problems` and then returns undefined. `at` is where the operator or the name stands.
 */
export class Typing {
  readonly problems: ExpressionProblem[] = [];

  report(message: string, at: number): undefined {
    this.problems.push({ message, at });
    return undefined;
  }

  unary(operator: '-' | 'not', of: Checked, at: number): Checked {
    if (operator === '-') {
      const number = this.#number(of, () => `"-" takes a number, not a ${of?.type}`, at);
      return number && this.#folded({ kind: 'negate', type: 'number', of: number }, at);
    }
    const tight = of?.type === 'number' ? '; "not" binds tighter than a comparison: write not (a > b)' : '';
    const truth = this.#boolean(of, () => `"not" takes a boolean, not a ${of?.type}${tight}`, at);
    return truth && this.#folded({ kind: 'not', type: 'boolean', of: truth }, at);
  }

  binary(operator: BinaryOperator, left: Checked, right: Checked, at: number): Checked {
    const kind = operatorKinds[operator];
    if (kind === 'equality') {
      if (!left || !right) return undefined;
      if (left.type !== right.type) {
        return this.report(`"${operator}" compares values of one type, not a ${left.type} with a ${right.type}`, at);
      }
      return this.#folded({ kind, type: 'boolean', operator: operator as '==' | '!=', left, right }, at);
    }
    if (kind === 'logic') {
      const a = this.#boolean(left, () => `"${operator}" takes booleans; its left side is a ${left?.type}`, at);
      const b = this.#boolean(right, () => `"${operator}" takes booleans; its right side is a ${right?.type}`, at);
      return (
        a && b && this.#folded({ kind, type: 'boolean', operator: operator as 'and' | 'or', left: a, right: b }, at)
      );
    }
    const a = this.#number(left, () => `"${operator}" takes numbers; its left side is a ${left?.type}`, at);
    const b = this.#number(right, () => `"${operator}" takes numbers; its right side is a ${right?.type}`, at);
    if (!a || !b) return undefined;
    switch (operator) {
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#folded({ kind: 'comparison', type: 'boolean', operator, left: a, right: b }, at);
      default:
        return this.#folded(
          { kind: 'arithmetic', type: 'number', operator: operator as '+' | '-' | '*' | '/' | '^', left: a, right: b },
          at,
        );
    }
  }

  /** `spelling` is how the author wrote it: `?` or `if()`. */
  conditional(condition: Checked, whenTrue: Checked, whenFalse: Checked, spelling: string, at: number): Checked {
    const test = this.#boolean(
      condition,
      () => `the condition of ${spelling} is a ${condition?.type}, not a boolean`,
      at,
    );
    if (!test || !whenTrue || !whenFalse) return undefined;
    const branches = { kind: 'conditional', condition: test } as const;
    if (whenTrue.type === 'number' && whenFalse.type === 'number') {
      return this.#folded({ ...branches, type: 'number', whenTrue, whenFalse }, at);
    }
    if (whenTrue.type === 'boolean' && whenFalse.type === 'boolean') {
      return this.#folded({ ...branches, type: 'boolean', whenTrue, whenFalse }, at);
    }
    if (whenTrue.type === 'string' && whenFalse.type === 'string') {
      return this.#folded({ ...branches, type: 'string', whenTrue, whenFalse }, at);
    }
    return this.report(`${spelling} gives a ${whenTrue.type} or a ${whenFalse.type}; both must have one type`, at);
  }

  call(name: string, args: Checked[], at: number): Checked {
    const arity = arityOf(name);
    if (!arity) return this.report(`unknown function "${name}"`, at);
    if (args.length < arity.least || args.length > arity.most) {
      return this.report(`${name}() has ${args.length} arguments; write ${arity.usage}`, at);
    }
    if (name === 'if') return this.conditional(args[0], args[1], args[2], 'if()', at);
    if (name === 'duration') return this.#duration(args[0], at);
    if (name === 'oneOf') return this.#oneOf(args, at);
    if (isNumberFunction(name)) {
      const numbers = args.map((arg, index) => this.#number(arg, () => wrongArgument(name, index, 'number', arg), at));
      if (!numbers.every((arg) => arg !== undefined)) return undefined;
      return this.#folded({ kind: 'numberCall', type: 'number', name, args: numbers }, at);
    }
    if (isTextFunction(name)) {
      const texts = args.map((arg, index) => this.#string(arg, () => wrongArgument(name, index, 'string', arg), at));
      const [text, part] = texts;
      return text && part && this.#folded({ kind: 'textCall', type: 'boolean', name, args: [text, part] }, at);
    }
    return this.report(`unknown function "${name}"`, at);
  }

  #duration(text: Checked, at: number): Checked {
    if (!text) return undefined;
    const ms = text.kind === 'constant' && text.type === 'string' ? parseDuration(text.value) : Number.NaN;
    if (Number.isNaN(ms))
      return this.report('duration() takes a number with one unit of ms, s, m, h, d: duration("5m")', at);
    return constant(ms);
  }

  #oneOf(args: Checked[], at: number): Checked {
    const [subject, ...options] = args;
    if (!subject || !options.every((option) => option !== undefined)) return undefined;
    const other = options.find((option) => option.type !== subject.type);
    if (other)
      return this.report(`oneOf() compares values of one type, not a ${subject.type} with a ${other.type}`, at);
    return this.#folded({ kind: 'oneOf', type: 'boolean', subject, options }, at);
  }

  #number(term: Checked, message: () => string, at: number): NumberTerm | undefined {
    return term === undefined || term.type === 'number' ? term : this.report(message(), at);
  }

  #boolean(term: Checked, message: () => string, at: number): BooleanTerm | undefined {
    return term === undefined || term.type === 'boolean' ? term : this.report(message(), at);
  }

  #string(term: Checked, message: () => string, at: number): StringTerm | undefined {
    return term === undefined || term.type === 'string' ? term : this.report(message(), at);
  }

  /** A constant that faults would fault on every event, so it is refused at load. */
  #folded(term: Term, at: number): Checked {
    if (!childrenOf(term).every((child) => child.kind === 'constant')) return term;
    try {
      return constant(compileTerm(term)([]));
    } catch (error) {
      if (!(error instanceof ExpressionFault)) throw error;
      return this.report('this constant part is not a finite number', at);
    }
  }
}

function wrongArgument(name: string, index: number, wanted: ValueType, arg: Checked): string {
  return `${name}() takes ${wanted}s; argument ${index + 1} is a ${arg?.type}`;
}

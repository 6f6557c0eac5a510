import type { NumberFunction } from './functions.ts';
import { finite, type NumberOperand, type NumberRun, runOf } from './number-operand.ts';

const ofOne: Record<Exclude<NumberFunction, 'min' | 'max' | 'clamp'>, (of: NumberRun) => NumberRun> = {
  abs: (of) => (values) => Math.abs(of(values)),
  floor: (of) => (values) => Math.floor(of(values)),
  ceil: (of) => (values) => Math.ceil(of(values)),
  round: (of) => (values) => roundHalfAwayFromZero(of(values)),
  sqrt: (of) => (values) => finite(Math.sqrt(of(values))),
  log: (of) => (values) => finite(Math.log(of(values))),
  log10: (of) => (values) => finite(Math.log10(of(values))),
  exp: (of) => (values) => finite(Math.exp(of(values))),
};

/** Precondition: the argument count is the function's (checked when the term was made). */
export function compileNumberCall(name: NumberFunction, args: NumberOperand[]): NumberRun {
  const runs = args.map(runOf);
  switch (name) {
    case 'min':
      return compileExtreme(
        args,
        (a, b) => (values) => Math.min(a(values), b(values)),
        (a, b) => (values) => Math.min(a(values), b),
      );
    case 'max':
      return compileExtreme(
        args,
        (a, b) => (values) => Math.max(a(values), b(values)),
        (a, b) => (values) => Math.max(a(values), b),
      );
    case 'clamp': {
      const [of, lowest, highest] = runs as [NumberRun, NumberRun, NumberRun];
      return (values) => {
        const raised = Math.max(of(values), lowest(values));
        return Math.min(raised, highest(values));
      };
    }
    default:
      return ofOne[name](runs[0]!);
  }
}

/** Pairs from left to right, so that two arguments, the usual case, cost neither an array nor a loop. */
function compileExtreme(
  args: NumberOperand[],
  general: (a: NumberRun, b: NumberRun) => NumberRun,
  withConstant: (a: NumberRun, b: number) => NumberRun,
): NumberRun {
  const [first, ...rest] = [...args].sort((a, b) => Number(a.kind === 'constant') - Number(b.kind === 'constant'));
  return rest.reduce<NumberRun>(
    (so, next) => (next.kind === 'constant' ? withConstant(so, next.value) : general(so, runOf(next))),
    runOf(first!),
  );
}

/** As mathjs rounds: -2.5 becomes -3, where Math.round gives -2. */
function roundHalfAwayFromZero(value: number): number {
  const size = Math.abs(value);
  const whole = Math.floor(size);
  const rounded = size - whole >= 0.5 ? whole + 1 : whole;
  return value < 0 ? -rounded : rounded;
}

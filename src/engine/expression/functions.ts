export type NumberFunction =
  | 'min'
  | 'max'
  | 'abs'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'sqrt'
  | 'log'
  | 'log10'
  | 'exp'
  | 'clamp';
export type TextFunction = 'contains' | 'startsWith';

interface Arity {
  least: number;
  most: number;
  usage: string;
}

/** Numbers in, number out. `log` is natural; `round` takes halves away from zero; `clamp` lets the upper bound win. */
const numberFunctions: Record<NumberFunction, Arity> = {
  min: { least: 1, most: Infinity, usage: 'min(a, b, …)' },
  max: { least: 1, most: Infinity, usage: 'max(a, b, …)' },
  abs: { least: 1, most: 1, usage: 'abs(x)' },
  floor: { least: 1, most: 1, usage: 'floor(x)' },
  ceil: { least: 1, most: 1, usage: 'ceil(x)' },
  round: { least: 1, most: 1, usage: 'round(x)' },
  sqrt: { least: 1, most: 1, usage: 'sqrt(x)' },
  log: { least: 1, most: 1, usage: 'log(x)' },
  log10: { least: 1, most: 1, usage: 'log10(x)' },
  exp: { least: 1, most: 1, usage: 'exp(x)' },
  clamp: { least: 3, most: 3, usage: 'clamp(x, lowest, highest)' },
};

/** Two strings in, boolean out. Both respect case, as `==` does. */
const textFunctions: Record<TextFunction, Arity> = {
  contains: { least: 2, most: 2, usage: 'contains(text, part)' },
  startsWith: { least: 2, most: 2, usage: 'startsWith(text, start)' },
};

/** Those with a typing of their own: any one type, lazy branches, and a literal that becomes milliseconds. */
const specialFunctions: Record<'oneOf' | 'if' | 'duration', Arity> = {
  oneOf: { least: 2, most: Infinity, usage: 'oneOf(x, a, b, …)' },
  if: { least: 3, most: 3, usage: 'if(condition, a, b)' },
  duration: { least: 1, most: 1, usage: 'duration("5m")' },
};

export const functionNames: string[] = [numberFunctions, textFunctions, specialFunctions].flatMap(Object.keys);

/** The arity of an allowed function; undefined when there is none of that name. */
export function arityOf(name: string): Arity | undefined {
  for (const table of [numberFunctions, textFunctions, specialFunctions]) {
    if (Object.hasOwn(table, name)) return (table as Record<string, Arity>)[name];
  }
  return undefined;
}

export function isNumberFunction(name: string): name is NumberFunction {
  return Object.hasOwn(numberFunctions, name);
}

export function isTextFunction(name: string): name is TextFunction {
  return Object.hasOwn(textFunctions, name);
}

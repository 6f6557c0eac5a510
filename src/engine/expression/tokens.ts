import type { ExpressionProblem } from './problem.ts';

const deepestBrackets = 20;
const mostTokens = 100;

/** A name, value or operator of the source. `and`, `or`, `not` are operators; brackets and commas leave no token. */
export interface Token {
  kind: 'name' | 'call' | 'number' | 'string' | 'operator';
  text: string;
  at: number;
}

export interface Scan {
  tokens: Token[];
  problems: ExpressionProblem[];
  /** The source with every white space outside strings turned into plain spaces; the offsets stay. */
  parseable: string;
}

const lexeme = new RegExp(
  [
    /(?<space>[ \t\r\n\u00a0]+)/,
    /(?<foreign>[\w.]*(?!\p{ASCII})\p{L}[\p{L}\p{N}_.]*)/u,
    /(?<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?<opens>[ \t\r\n\u00a0]*\()?/,
    /(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/,
    /(?<unclosed>["'].*)/,
    /(?<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[\w.]*)/,
    /(?<bracket>[(),])/,
    /(?<symbol>===|!==|>>>|&&|\|\||<>|=>|=<|<<|>>|\*\*|\?\?|\?\.(?!\d)|\.[*/^]|<=|>=|==|!=|[-+*/^<>?:.=[\]{};#%!&|~])/,
    /(?<other>.)/,
  ]
    .map((part) => part.source)
    .join('|'),
  'suy',
);
const wellFormedNumber = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

const wordOperators = new Set(['and', 'or', 'not']);
const symbolOperators = new Set(['+', '-', '*', '/', '^', '<', '<=', '>', '>=', '==', '!=', '?', ':']);

/** Words that mathjs reads as operators and we refuse: a measure of that name could not be used in an expression. */
const refusedWords: Record<string, string> = {
  mod: 'modulo is not available',
  xor: 'on booleans, write a != b',
  to: 'unit conversion is not available',
  in: 'to test membership, write oneOf(x, a, b)',
};

const refusedSymbols: Record<string, string> = {
  '===': 'write ==',
  '!==': 'write !=',
  '<>': 'write !=',
  '=>': 'write >=',
  '=<': 'write <=',
  '&&': 'write and',
  '||': 'write or',
  '!': 'write not (…)',
  '**': 'write ^',
  '=': 'assignment is not available; to compare, write ==',
  '%': 'neither modulo nor percent is available',
  '[': 'neither index nor matrix is available',
  ']': 'neither index nor matrix is available',
  '{': 'objects are not available',
  '}': 'objects are not available',
  ';': 'there is one expression only',
  '#': 'a comment belongs outside the expression',
  '.': 'a dotted name is written without spaces, a number as 0.5 or 2',
  '?.': 'every declared name has a value; write a dot',
  '??': 'every declared name has a value',
  '.*': 'matrices are not available',
  './': 'matrices are not available',
  '.^': 'matrices are not available',
};

/**
 * Splits a source into names, values and operators with their offsets, and refuses what no allowed expression contains.
 *
 * It runs before mathjs for two reasons: mathjs' nodes carry no positions, and some inputs are dangerous to parse at
 * all (5,000 brackets overflow the stack, nested `%` takes exponential time). The tokens are a subset of mathjs' own,
 * so what passes here is read the same way there.
 */
export function scan(source: string): Scan {
  const tokens: Token[] = [];
  const problems: ExpressionProblem[] = [];
  let parseable = '';
  let depth = 0;
  let afterOperand = false;

  const take = (kind: Token['kind'], text: string, at: number) => {
    if (kind !== 'operator' && afterOperand) refuseImplicit(text, at);
    tokens.push({ kind, text, at });
    afterOperand = kind !== 'operator';
  };
  const refuse = (message: string, at: number) => {
    problems.push({ message, at });
    afterOperand = false;
  };
  const refuseImplicit = (text: string, at: number) =>
    refuse(`expected an operator before ${quoted(text)}; multiplication is written with *`, at);
  const open = (at: number) => {
    depth += 1;
    if (depth === deepestBrackets + 1) refuse(`brackets are nested deeper than ${deepestBrackets}`, at);
  };

  lexeme.lastIndex = 0;
  for (let match = lexeme.exec(source); match; match = lexeme.exec(source)) {
    const at = match.index;
    const whole = match[0];
    const { foreign, name, opens, string, unclosed, number, bracket, symbol, other, space } = match.groups!;
    parseable += space === undefined ? whole : ' '.repeat(whole.length);

    if (foreign !== undefined) {
      refuse(`${quoted(foreign)} cannot be a name: names have letters a to z, digits, _ and dots`, at);
      afterOperand = true;
    } else if (name !== undefined) {
      // The bracket was only looked ahead for.
      lexeme.lastIndex = at + name.length;
      parseable = parseable.slice(0, lexeme.lastIndex);
      if (wordOperators.has(name)) take('operator', name, at);
      else if (Object.hasOwn(refusedWords, name)) refuse(`"${name}" is not allowed: ${refusedWords[name]}`, at);
      else take(opens === undefined ? 'name' : 'call', name, at);
      if (opens !== undefined) afterOperand = false;
    } else if (string !== undefined) {
      take('string', string, at);
    } else if (unclosed !== undefined) {
      refuse(`the string that starts here has no closing ${unclosed[0]}`, at);
    } else if (number !== undefined) {
      if (wellFormedNumber.test(number)) take('number', number, at);
      else {
        refuse(`malformed number ${quoted(number)}; there are no units, a time is written duration("5m")`, at);
        afterOperand = true;
      }
    } else if (bracket !== undefined) {
      if (bracket === '(' && afterOperand) refuseImplicit('(', at);
      if (bracket === '(') open(at);
      if (bracket === ')') depth -= 1;
      afterOperand = bracket === ')';
    } else if (symbol !== undefined) {
      if (symbolOperators.has(symbol)) take('operator', symbol, at);
      else refuse(`"${symbol}" is not allowed: ${refusedSymbols[symbol] ?? 'bit operators are not available'}`, at);
    } else if (other !== undefined) {
      refuse(`unexpected character ${quoted(other)}`, at);
    }
  }

  const excess = tokens.filter((token) => token.text !== ':')[mostTokens];
  if (excess) problems.push({ message: `more than ${mostTokens} names, values and operators`, at: excess.at });
  return { tokens, problems, parseable };
}

/** Author text in a message is quoted and bounded. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

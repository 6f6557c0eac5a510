import { compileTerm } from './closures.ts';
import { type Comparison, comparisonsOf } from './comparisons.ts';
import { arityOf, functionNames } from './functions.ts';
import { lower } from './lowering.ts';
import { hint, type Names } from './names.ts';
import { parseTree } from './parser.ts';
import { type ExpressionProblem, inSourceOrder } from './problem.ts';
import type { Term, Value, Values, ValueType } from './term.ts';
import { quoted, scan, type Token } from './tokens.ts';

export type { Names } from './names.ts';
export type { ExpressionProblem } from './problem.ts';
export type { Values, ValueType } from './term.ts';

const longestSource = 512;

export type Compiled =
  | {
      ok: true;
      type: ValueType;
      /** The value, a number always finite. Throws an `ExpressionFault` and nothing else (see `compileTerm`). */
      evaluate(values: Values): Value;
      /** The comparisons that `and` and `or` join, for showing a number and its threshold. */
      comparisons: Comparison[];
      /** What it means, for proofs about it. */
      term: Term;
      /** The declared paths that occur in the source, each once, in source order. */
      names: string[];
      source: string;
    }
  | { ok: false; problems: ExpressionProblem[] };

/**
 * Compiles one expression of a rule. mathjs only parses; what it returns is checked against an allow-list and becomes
 * closures of our own. Never throws: whatever the text, the answer is an evaluation or every problem that was found,
 * in source order. Unknown names and functions are found even where the text cannot be parsed.
 *
 * Meaning: comparisons are exact; strings compare with case; `and`, `or`, `?:`, `if` skip what they do not need;
 * nothing converts. As in mathjs, `not` binds tighter than a comparison, `^` tighter than a minus, and from the right.
 */
export function compileExpression(source: string, names: Names): Compiled {
  if (source.length > longestSource) {
    const message = `the expression has ${source.length} characters; at most ${longestSource} are allowed`;
    return { ok: false, problems: [{ message, at: longestSource }] };
  }
  if (source.trim() === '') return { ok: false, problems: [{ message: 'the expression is empty', at: 0 }] };

  const { tokens, problems: scanned, parseable } = scan(source);
  const problems = [...scanned, ...unknowns(tokens, names)];
  if (scanned.length > 0) return { ok: false, problems: inSourceOrder(problems) };

  const parsed = parseTree(parseable);
  if ('problem' in parsed) return { ok: false, problems: inSourceOrder([...problems, parsed.problem]) };

  const { term, problems: lowered } = lower(parsed.tree, tokens, names, source.length);
  problems.push(...lowered);
  if (term === undefined || problems.length > 0) return { ok: false, problems: inSourceOrder(problems) };

  const used = tokens.filter((token) => token.kind === 'name' && names.lookup(token.text) !== undefined);
  return {
    ok: true,
    type: term.type,
    term,
    evaluate: compileTerm(term),
    comparisons: comparisonsOf(term),
    names: [...new Set(used.map((token) => token.text))],
    source,
  };
}

function unknowns(tokens: Token[], names: Names): ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  for (const { kind, text, at } of tokens) {
    if (kind === 'call' && arityOf(text) === undefined) {
      const message = names.lookup(text)
        ? `${quoted(text)} is a name, not a function; multiplication is written with *`
        : `unknown function ${quoted(text)}${hint(text, functionNames)}`;
      problems.push({ message, at });
    }
    if (kind === 'name' && text !== 'true' && text !== 'false' && names.lookup(text) === undefined) {
      const message =
        arityOf(text) === undefined
          ? `unknown name ${quoted(text)}${hint(text, names.all())}`
          : `${quoted(text)} is a function: write ${arityOf(text)?.usage}`;
      problems.push({ message, at });
    }
  }
  return problems;
}

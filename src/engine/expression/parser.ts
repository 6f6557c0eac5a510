// The number build of mathjs, and of it the parser only: no units, matrices or big numbers come along.
import { create, type MathNode, parseDependencies } from 'mathjs/number';
import type { ExpressionProblem } from './problem.ts';

const { parse } = create({ ...parseDependencies });

/** mathjs' syntax tree of a source that `scan` accepted, or the one problem at which mathjs gave up. Evaluates nothing. */
export function parseTree(parseable: string): { tree: MathNode } | { problem: ExpressionProblem } {
  try {
    return { tree: parse(parseable) };
  } catch (error) {
    // mathjs throws SyntaxError with a 1-based `char`. Whatever else it may throw, the author's text caused it, and
    // one unreadable expression must not end the loading of all rules.
    const { message, char } = error as Error & { char?: number };
    const at = Math.min(Math.max((char ?? 1) - 1, 0), parseable.length);
    return { problem: { message: `syntax error: ${message.replace(/ \(char \d+\)$/, '')}`, at } };
  }
}

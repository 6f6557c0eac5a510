/** Something wrong in the text of an expression. `at` is the 0-based character offset in that text. */
export interface ExpressionProblem {
  message: string;
  at: number;
}

/** In source order, one per position: what was found first at a position is the cause, the rest follows from it. */
export function inSourceOrder(problems: ExpressionProblem[]): ExpressionProblem[] {
  const seen = new Set<number>();
  return problems.filter((problem) => !seen.has(problem.at) && seen.add(problem.at)).sort((a, b) => a.at - b.at);
}

import { compileTerm, type Run } from './closures.ts';
import type { NumberTerm, Term } from './term.ts';

/** One comparison of a condition, as the numbers to show: what was measured and what it was compared with. */
export interface Comparison {
  holds: Run<boolean>;
  score: Run<number>;
  threshold: Run<number>;
}

/**
 * The comparisons of a condition in source order, of those parts that `and` and `or` join. For the explanation only:
 * the decision is the whole condition.
 */
export function comparisonsOf(term: Term): Comparison[] {
  if (term.kind === 'logic') return [...comparisonsOf(term.left), ...comparisonsOf(term.right)];
  if (term.kind !== 'comparison') return [];
  // `60 < deletes` is about deletes too: the side that can vary more is the score.
  const [score, threshold] = term.left.kind === 'constant' ? [term.right, term.left] : [term.left, term.right];
  return [{ holds: compileTerm(term) as Run<boolean>, score: numberRun(score), threshold: numberRun(threshold) }];
}

function numberRun(term: NumberTerm): Run<number> {
  return compileTerm(term) as Run<number>;
}

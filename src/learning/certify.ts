import type { Baseline, Budgets } from '../domain/baseline.ts';
import { CONDITIONS, type Condition } from '../domain/level.ts';
import { conformalThreshold, minimumSample } from './conformal.ts';

/** From where on evidence raises each level, if benign sessions reach this far and no more of them may be stopped. */
export function certify(scores: readonly number[], budgets: Budgets): Baseline['thresholds'] {
  const of = (condition: Condition) => {
    const { c, r, n, grade } = conformalThreshold(scores, budgets[condition], budgets.confidence);
    const needed = r === 0 ? { needed: minimumSample(budgets[condition], budgets.confidence) } : {};
    return { alpha: budgets[condition], ...(Number.isFinite(c) ? { c } : {}), r, n, ...needed, grade };
  };
  const [watch, pause, kill] = CONDITIONS.map(of);
  return { watch: watch!, pause: pause!, kill: kill! };
}

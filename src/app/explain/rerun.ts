import type { Rule } from '../../domain/rule.ts';
import { Partition } from '../../engine/partition.ts';
import { compilePolicy, type Plan } from '../../engine/plan/policy.ts';
import { step } from '../../engine/step.ts';
import { type Rise, riseIn, type Story } from './story.ts';

/** The rule as it would have been; undefined for one that would not have judged. */
export type RuleChange = (rule: Rule) => Rule | undefined;

export interface RunPart {
  /** Numbers of the actions that would not have happened. */
  without?: ReadonlySet<number>;
  /** The run ends with this action. */
  until?: number;
}

/**
 * Judges the story's actions again, through `step`, alone, with changed rules. That is exact: no other session changes
 * a decision about this one, but for the partition's clock, which each action brings along.
 */
export function rerunOf(story: Story, change: RuleChange): (part?: RunPart) => Rise[] {
  const varied = new Map<Plan, Plan>();
  for (const { plan } of story.actions) {
    if (plan !== undefined && !varied.has(plan)) varied.set(plan, variantOf(plan, change));
  }
  return ({ without, until = story.actions.length } = {}) => {
    const partition = new Partition(story.topicId, story.partition);
    const rises: Rise[] = [];
    let judging: Plan | undefined;
    for (const { number, record, plan, clockMs } of story.actions.slice(0, until)) {
      if (plan !== undefined && plan !== judging) partition.judgeUnder(varied.get(plan)!);
      judging = plan;
      const { offset, appendMs } = record;
      if (clockMs > appendMs) step(partition, { offset, appendMs: clockMs, body: { type: 'tick' } });
      if (!without?.has(number)) rises.push(...riseIn(step(partition, record), number));
    }
    return rises;
  };
}

/** The intents of the policy judge too, unless a rule is to judge alone. */
function variantOf(plan: Plan, change: RuleChange): Plan {
  const before = [...plan.groups.values()].flatMap(({ rules }) => rules.map(({ rule }) => rule));
  const rules = before.flatMap((rule) => change(rule) ?? []);
  const variant = compilePolicy(plan.hash, { format: 1, settings: plan.settings, rules });
  return rules.length < before.length ? variant : { ...variant, evidence: plan.evidence, forgetMs: plan.forgetMs };
}

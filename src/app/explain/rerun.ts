import type { Output } from '../../domain/output.ts';
import type { Rule } from '../../domain/rule.ts';
import { Partition } from '../../engine/partition.ts';
import { compilePolicy, type Plan } from '../../engine/plan/policy.ts';
import { step } from '../../engine/step.ts';
import { type Rise, riseIn, type Story, type StoryAction } from './story.ts';

/** The rule as it would have been; undefined for one that would not have judged. */
export type RuleChange = (rule: Rule) => Rule | undefined;

export interface RunPart {
  /** Numbers of the actions that would not have happened. */
  without?: ReadonlySet<number>;
  /** The run ends with this action. */
  until?: number;
}

/** One action of a story as it was judged again, with the partition as it is after it. */
export interface JudgedAgain {
  action: StoryAction;
  partition: Partition;
  outputs: Output[];
}

/**
 * Judges the story's actions again, through `step`, alone, by what `planFor` makes of the plan of the time. That is
 * exact: no other session changes a decision about this one, but for the partition's clock, which each action brings
 * along.
 */
export function* judgedAgain(
  story: Story,
  planFor: (plan: Plan) => Plan,
  { without, until = story.actions.length }: RunPart = {},
): Generator<JudgedAgain> {
  const partition = new Partition(story.topicId, story.partition);
  let judging: Plan | undefined;
  for (const action of story.actions.slice(0, until)) {
    const { number, record, plan, clockMs } = action;
    if (plan !== undefined && plan !== judging) partition.judgeUnder(planFor(plan));
    judging = plan;
    const { offset, appendMs } = record;
    if (clockMs > appendMs) step(partition, { offset, appendMs: clockMs, body: { type: 'tick' } });
    if (!without?.has(number)) yield { action, partition, outputs: step(partition, record) };
  }
}

/** The rises of the story with changed rules. */
export function rerunOf(story: Story, change: RuleChange): (part?: RunPart) => Rise[] {
  const varied = new Map<Plan, Plan>();
  for (const { plan } of story.actions) {
    if (plan !== undefined && !varied.has(plan)) varied.set(plan, variantOf(plan, change));
  }
  return (part) =>
    [...judgedAgain(story, (plan) => varied.get(plan)!, part)].flatMap(({ action, outputs }) =>
      riseIn(outputs, action.number),
    );
}

/** The intents of the policy judge too, unless a rule is to judge alone. */
function variantOf(plan: Plan, change: RuleChange): Plan {
  const before = [...plan.groups.values()].flatMap(({ rules }) => rules.map(({ rule }) => rule));
  const rules = before.flatMap((rule) => change(rule) ?? []);
  const variant = compilePolicy(plan.hash, { format: 1, settings: plan.settings, rules });
  return rules.length < before.length ? variant : { ...variant, evidence: plan.evidence, forgetMs: plan.forgetMs };
}

import type { Output } from '../../domain/output.ts';
import type { Rule } from '../../domain/rule.ts';
import { Partition } from '../../engine/partition.ts';
import { compilePolicy, type Plan } from '../../engine/plan/policy.ts';
import { step } from '../../engine/step.ts';
import { ownerTicks } from '../owner-ticks.ts';
import { type Rise, riseIn, type Story, type StoryAction, silentRisesIn } from './story.ts';

/** The rule as it would have been; undefined for one that would not have judged. */
export type RuleChange = (rule: Rule) => Rule | undefined;

export interface RunPart {
  /** Numbers of the actions that would not have happened. */
  without?: ReadonlySet<number>;
  /** The run ends with this action, else with the story. */
  until?: number;
  /** And with the silence after it until this clock. */
  silence?: Story['end'] | undefined;
}

/** One action of a story as it was judged again, or the silence after one, with the partition as it is after it. */
export interface JudgedAgain {
  action: StoryAction;
  by: 'action' | 'silence';
  partition: Partition;
  outputs: Output[];
}

/** The run that ends where the session rose. */
export function upTo({ number, silence }: Rise): RunPart {
  return { until: number, silence };
}

/**
 * Judges the story's actions again, through `step`, alone, by what `planFor` makes of the plan of the time. That is
 * exact: no other session changes a decision about this one, but for the partition's clock, which each action brings
 * along, and deadlines are due when they were. (A policy that began while the session was silent judges from its next
 * action on.)
 */
export function* judgedAgain(
  story: Story,
  planFor: (plan: Plan) => Plan,
  { without, until, silence = until === undefined ? story.end : undefined }: RunPart = {},
): Generator<JudgedAgain> {
  const partition = new Partition(story.topicId, story.partition);
  let judging: Plan | undefined;
  let last: StoryAction | undefined;
  for (const action of story.actions.slice(0, until)) {
    const { number, record, plan, clockMs } = action;
    if (last !== undefined) yield* silentAgain(partition, last, action);
    if (plan !== undefined && plan !== judging) partition.judgeUnder(planFor(plan));
    judging = plan;
    const { offset, appendMs } = record;
    if (clockMs > appendMs) step(partition, { offset, appendMs: clockMs, body: { type: 'tick' } });
    if (!without?.has(number)) yield { action, by: 'action', partition, outputs: step(partition, record) };
    last = action;
  }
  if (last !== undefined && silence !== undefined) yield* silentAgain(partition, last, silence);
}

/** What became due after an action, until another clock. */
function* silentAgain(partition: Partition, action: StoryAction, until: Story['end']): Generator<JudgedAgain> {
  const { state } = partition;
  const { offset } = action.record;
  const parts = until.jumps.map(({ fromMs, toMs }) => ({ untilMs: fromMs, jumpedMs: toMs }));
  for (const { untilMs, jumpedMs } of [...parts, { untilMs: until.clockMs, jumpedMs: 0 }]) {
    for (const tick of ownerTicks(partition, untilMs, offset)) {
      yield { action, by: 'silence', partition, outputs: step(partition, tick) };
    }
    state.jumpedMs = Math.max(state.jumpedMs, jumpedMs);
  }
}

/** The rises of the story with changed rules. */
export function rerunOf(story: Story, change: RuleChange): (part?: RunPart) => Rise[] {
  const varied = new Map<Plan, Plan>();
  for (const { plan } of story.actions) {
    if (plan !== undefined && !varied.has(plan)) varied.set(plan, variantOf(plan, change));
  }
  return (part) => [...judgedAgain(story, (plan) => varied.get(plan)!, part)].flatMap((one) => risesOf(story, one));
}

function risesOf({ session }: Story, { action, by, partition, outputs }: JudgedAgain): Rise[] {
  const { number, event } = action;
  const told = { session, number, own: by === 'action' ? event.id : undefined };
  const silence = { clockMs: partition.state.clockMs, jumps: [], readings: [] };
  return [...silentRisesIn(outputs, told).map((rise) => ({ ...rise, silence })), ...riseIn(outputs, told)];
}

/** The intents of the policy judge too, unless a rule is to judge alone. */
function variantOf(plan: Plan, change: RuleChange): Plan {
  const before = [...plan.groups.values()].flatMap(({ rules }) => rules.map(({ rule }) => rule));
  const rules = before.flatMap((rule) => change(rule) ?? []);
  const variant = compilePolicy(plan.hash, { format: 1, settings: plan.settings, rules });
  return rules.length < before.length ? variant : { ...variant, evidence: plan.evidence, forgetMs: plan.forgetMs };
}

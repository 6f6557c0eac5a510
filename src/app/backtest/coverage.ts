import { isDeepStrictEqual } from 'node:util';
import type { ActionEvent } from '../../domain/event.ts';
import type { Match } from '../../domain/match.ts';
import type { EventTest } from '../../engine/match/compile.ts';
import type { GroupPlan, Plan } from '../../engine/plan/policy.ts';
import { type BySide, mapSides, type Side, sidesOf } from './sides.ts';

/** Events, and how many of them the rules of a side look at. */
export interface Covered {
  events: number;
  /** They pass the `match` of at least one rule, or of an intent that has a baseline. */
  covered: BySide<number>;
  /** They pass one that not every event passes: a single rule without a `match` covers all and may see little. */
  chosen: BySide<number>;
}

/**
 * How much of the stream the rules see at all: an event that passes no `match` can never count, whatever its session
 * does. Counted over every action event, also the repeated ones and those after a kill.
 */
export class Coverage {
  readonly plans: BySide<Plan>;
  readonly all: Covered;
  readonly byAction = new Map<string, Covered>();
  readonly byRole = new Map<string, Covered>();
  /** Events that pass the `match` of each rule. */
  readonly byRule: BySide<Map<string, number>>;
  readonly #unfiltered = new Set<GroupPlan>();

  /** Step by `plans`, not by what is given: they remember what `note` asked, so that each filter runs once per event. */
  constructor(plans: BySide<Plan>) {
    const remembered: GroupPlan[] = [];
    this.plans = mapSides(plans, (plan) => rememberingPlan(plan, remembered));
    this.all = none(plans);
    this.byRule = mapSides(plans, () => new Map());
    for (const side of sidesOf(this.plans)) {
      for (const group of this.plans[side]!.groups.values()) {
        if (group.rules.length > 0 && isUnfiltered(group)) this.#unfiltered.add(group);
      }
    }
  }

  note(event: ActionEvent, role: string): void {
    const counts = [this.all, entry(this.byAction, event.action, this.plans), entry(this.byRole, role, this.plans)];
    for (const count of counts) count.events++;
    for (const side of sidesOf(this.plans)) {
      const passed = this.#passed(side, event);
      if (passed === 'none') continue;
      for (const { covered, chosen } of counts) {
        covered[side]!++;
        if (passed === 'chosen') chosen[side]!++;
      }
    }
  }

  #passed(side: Side, event: ActionEvent): 'none' | 'covered' | 'chosen' {
    const byRule = this.byRule[side]!;
    let passed: 'none' | 'covered' | 'chosen' = 'none';
    for (const group of this.plans[side]!.groupsFor(event.action)) {
      // A group without rules only counts what a rule's share is of.
      if (group.rules.length === 0 || !group.test(event)) continue;
      if (passed !== 'chosen') passed = this.#unfiltered.has(group) ? 'covered' : 'chosen';
      for (const { rule } of group.rules) byRule.set(rule.id, (byRule.get(rule.id) ?? 0) + 1);
    }
    return passed === 'chosen' ? passed : markedBy(this.plans[side]!, event, passed);
  }
}

/** An intent always names what it marks, or what has to come before it. */
function markedBy(
  { evidence }: Plan,
  event: ActionEvent,
  otherwise: 'none' | 'covered',
): 'none' | 'covered' | 'chosen' {
  const intents = evidence?.intents ?? [];
  const isLookedFor = intents.some(({ test, after }) => test(event) || after?.test(event) === true);
  return isLookedFor ? 'chosen' : otherwise;
}

function none(sides: BySide<unknown>): Covered {
  return { events: 0, covered: mapSides(sides, () => 0), chosen: mapSides(sides, () => 0) };
}

/** Whether every event passes. */
function isUnfiltered(group: GroupPlan): boolean {
  const match = filterOf(group);
  return (Array.isArray(match) ? match : [match]).some((map) => Object.keys(map).length === 0);
}

function entry(counts: Map<string, Covered>, key: string, sides: BySide<unknown>): Covered {
  let count = counts.get(key);
  if (count === undefined) {
    count = none(sides);
    counts.set(key, count);
  }
  return count;
}

/** The same plan with filters that answer twice for one event and work once; equal filters of both sides are one. */
function rememberingPlan(plan: Plan, remembered: GroupPlan[]): Plan {
  const groups = new Map<number, GroupPlan>();
  for (const [id, group] of plan.groups) {
    if (group.rules.length === 0) {
      groups.set(id, group); // it counts for rules of other groups, and none looks at its events
      continue;
    }
    const same = remembered.find((other) => other.id === id && isDeepStrictEqual(filterOf(other), filterOf(group)));
    const test = same?.test ?? remembering(group.test);
    const made = { ...group, test };
    groups.set(id, made);
    if (same === undefined) remembered.push(made);
  }
  const lists = new Map<string, readonly GroupPlan[]>();
  const groupsFor: Plan['groupsFor'] = (action) => {
    let list = lists.get(action);
    if (list === undefined) {
      list = plan.groupsFor(action).map(({ id }) => groups.get(id)!);
      lists.set(action, list);
    }
    return list;
  };
  return { ...plan, groups, groupsFor };
}

function filterOf({ rules }: GroupPlan): Match {
  return rules[0]!.rule.match;
}

function remembering(test: EventTest): EventTest {
  let last: ActionEvent | undefined;
  let passed = false;
  return (event) => {
    if (event !== last) {
      passed = test(event);
      last = event;
    }
    return passed;
  };
}

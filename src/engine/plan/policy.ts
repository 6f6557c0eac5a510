import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { PolicyBody, PolicySettings } from '../../domain/rule.ts';
import { partId } from '../fingerprint.ts';
import type { EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { FUTURE_MS } from '../session/event-time.ts';
import { RETRY_WITHIN_MS } from '../session/failed-calls.ts';
import { STEPS_BYTES } from '../session/group.ts';
import type { Feature } from '../window/feature.ts';
import { createFeature } from './feature-kind.ts';
import { type FeatureKind, type MeasureSource, type Reading, readingOf } from './measure.ts';
import { type CheckedRule, checkRule } from './rule.ts';

/** Number of this engine. A policy names the one it was checked with, and no partition follows one of a later engine. */
export const ENGINE_VERSION = 1;

/** One number kept per session, shared by every rule that measures the same of the same actions. */
export interface FeaturePlan {
  id: number;
  kind: FeatureKind;
  withinMs: number;
  reading: Reading;
  create(): Feature;
}

export interface RulePlan extends CheckedRule {
  id: number;
  /** How each measure is read, in the order of the rule's measures. */
  reads: { feature: FeaturePlan; perMinute: boolean }[];
  /** Where the rule has exceptions: what they do not cover, counted apart. */
  uncovered: GroupPlan | undefined;
}

/** All rules with one filter. An event that passes it is counted once, whatever the number of rules. */
export interface GroupPlan {
  id: number;
  test: EventTest;
  features: readonly FeaturePlan[];
  rules: readonly RulePlan[];
  /** What the steps kept for explanations may take: the even share of the group. */
  stepBytes: number;
  /** The group that holds all steps, of one that holds those which no exception of one rule covers. It has no rules. */
  whole: number | undefined;
}

/** A policy ready to judge. Immutable: a change is another plan under another hash. */
export interface Plan {
  hash: string;
  settings: PolicySettings;
  groups: ReadonlyMap<number, GroupPlan>;
  /** The groups that an action can pass at all, in the order of the rules. */
  groupsFor(action: ActionEvent['action']): readonly GroupPlan[];
  /** After so long without a record, ms, nothing of a session that is neither paused nor killed can matter. */
  forgetMs: number;
}

export class PolicyRefused extends Error {
  override readonly name = 'PolicyRefused';
}

/**
 * Compiles a body that `check` accepted. Throws a PolicyRefused naming the first mistake of one that it did not. The
 * plan is a function of the hashed bytes: keys that an author wrote in another order make no difference.
 */
export function compilePolicy(hash: string, written: PolicyBody): Plan {
  const body = JSON.parse(canonicalJson(written)) as PolicyBody;
  const groups = new Map<number, MutableGroup>();
  for (const rule of body.rules) {
    const result = checkRule(rule);
    if (!result.ok) throw new PolicyRefused(`policy ${hash}: rule "${rule.id}": ${placed(result.problems[0]!)}`);
    const group = groupOf(groups, result.checked);
    const reads = result.checked.measures.map(({ source }) => ({
      feature: featureOf(group, source, result.checked.withinMs),
      perMinute: source.reading === 'perMinute',
    }));
    const uncovered = uncoveredOf(groups, group, result.checked, reads);
    group.rules.push({ ...result.checked, id: partId(`rule ${rule.id}`), reads, uncovered });
  }
  for (const group of groups.values()) group.stepBytes = Math.floor(STEPS_BYTES / groups.size);
  return {
    hash,
    settings: body.settings,
    groups,
    groupsFor: indexByAction([...groups.values()].filter(({ whole }) => whole === undefined)),
    forgetMs: forgetAfter(body.settings, groups.values()),
  };
}

interface MutableGroup extends GroupPlan {
  filter: string;
  features: FeaturePlan[];
  rules: RulePlan[];
}

function groupOf(groups: Map<number, MutableGroup>, { rule, matcher }: CheckedRule): MutableGroup {
  return addGroup(groups, `group ${canonicalJson(rule.match)}`, rule.id, matcher.test, undefined);
}

/**
 * Named by rule and filter, not by the exceptions: whoever edits them loses no count. A step is covered or not at its
 * own time.
 */
function uncoveredOf(
  groups: Map<number, MutableGroup>,
  whole: MutableGroup,
  { rule, exceptions }: CheckedRule,
  reads: RulePlan['reads'],
): GroupPlan | undefined {
  if (exceptions.length === 0) return undefined;
  const group = addGroup(groups, `uncovered ${rule.id} ${whole.filter}`, rule.id, whole.test, whole.id);
  group.features = [...new Set(reads.map(({ feature }) => feature))];
  return group;
}

function addGroup(
  groups: Map<number, MutableGroup>,
  filter: string,
  rule: string,
  test: EventTest,
  whole: number | undefined,
): MutableGroup {
  const id = partId(filter);
  const known = groups.get(id);
  if (known && known.filter !== filter) throw new PolicyRefused(`rule "${rule}": its filter and another share an id`);
  if (known) return known;
  const group: MutableGroup = { id, filter, test, features: [], rules: [], stepBytes: 0, whole };
  groups.set(id, group);
  return group;
}

function featureOf(group: MutableGroup, { feature: kind, field }: MeasureSource, withinMs: number): FeaturePlan {
  const id = partId(`feature ${kind} ${field ?? ''} ${withinMs}`);
  const known = group.features.find((one) => one.id === id);
  if (known) return known;
  const reading = readingOf(kind, field);
  const plan: FeaturePlan = { id, kind, withinMs, reading, create: () => createFeature(kind, withinMs) };
  group.features.push(plan);
  return plan;
}

function indexByAction(groups: readonly MutableGroup[]): Plan['groupsFor'] {
  const actionsOf = new Map(groups.map((group) => [group, group.rules[0]!.matcher.actions]));
  const lists = new Map<string, readonly GroupPlan[]>();
  return (action) => {
    let list = lists.get(action);
    if (!list) {
      list = groups.filter((group) => actionsOf.get(group)?.has(action) ?? true);
      lists.set(action, list);
    }
    return list;
  };
}

function forgetAfter(settings: PolicySettings, groups: Iterable<MutableGroup>): number {
  let longestMs = Math.max(settings.idleEndMs, settings.watchHoldMs, RETRY_WITHIN_MS);
  for (const { features } of groups) {
    for (const { withinMs } of features) if (Number.isFinite(withinMs)) longestMs = Math.max(longestMs, withinMs);
  }
  return longestMs + settings.delayMs + FUTURE_MS;
}

function placed({ path, message }: RuleProblem): string {
  return `${path.join('.')}: ${message}`;
}

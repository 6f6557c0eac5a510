import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { Match } from '../../domain/match.ts';
import type { PolicyBody, PolicySettings } from '../../domain/rule.ts';
import { type CheckedIntent, checkIntent } from '../evidence/intent.ts';
import { type EvidencePlan, planEvidence } from '../evidence/plan.ts';
import { partId } from '../fingerprint.ts';
import { compileMatch, type EventTest, type Matcher } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import type { Deadline } from '../sequence/plan.ts';
import { FUTURE_MS } from '../session/event-time.ts';
import { STEPS_BYTES } from '../session/evidence-step.ts';
import { RETRY_WITHIN_MS } from '../session/failed-calls.ts';
import type { Feature } from '../window/feature.ts';
import { PARTS_PER_WINDOW } from '../window/sliding-sum.ts';
import { createFeature } from './feature-kind.ts';
import { type LearnedValues, learnedValues } from './learned.ts';
import type { FeatureKind, MeasureSource, NumberSource } from './measure.ts';
import { type Reading, readingOf } from './reading.ts';
import { type CheckedRule, checkRule } from './rule.ts';
import type { CheckedMeasure } from './rule-measure.ts';
import type { Weight } from './weight.ts';

/** Number of this engine. A policy names the one it was checked with, and no partition follows one of a later engine. */
export const ENGINE_VERSION = 4;

/** One number kept per session, shared by every rule that measures the same of the same actions. */
export interface FeaturePlan {
  id: number;
  kind: FeatureKind;
  withinMs: number;
  /** A mark that was moved forward by more than this is no ground for a kill, ms. */
  movedMs: number;
  /** So long without an action something of it can still matter, ms; Infinity for the life of the session. */
  keepMs: number;
  reading: Reading;
  /** The measure's own filter, beside that of the group. */
  test: EventTest | undefined;
  create(): Feature;
}

/** How a measure of a rule comes out of the state. */
export type MeasureRead =
  | { feature: FeaturePlan; reading: 'total' | 'perMinute' }
  | { feature: FeaturePlan; reading: 'ofAll'; all: FeaturePlan; allGroup: number };

export interface RulePlan extends CheckedRule {
  id: number;
  /** How each measure is read, in the order of the rule's measures. */
  reads: MeasureRead[];
  /** Where the rule has exceptions: what they do not cover, counted apart. */
  uncovered: GroupPlan | undefined;
  /** By cohort; absent while nothing was learned for the rule. */
  learned: LearnedValues | undefined;
}

/**
 * All rules with one filter. An event that passes it is counted once, whatever the number of rules. The group of all
 * actions has none where it only counts what shares are of.
 */
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

/** A sequence whose last step is missing: it may be complete although no action comes. */
export interface Waiting {
  group: number;
  feature: number;
  deadline: Deadline;
}

/** A policy ready to judge. Immutable: a change is another plan under another hash. */
export interface Plan {
  hash: string;
  settings: PolicySettings;
  groups: ReadonlyMap<number, GroupPlan>;
  /** In the order of the groups. */
  waiting: readonly Waiting[];
  /** The intents of the policy that have a baseline. */
  evidence: EvidencePlan | undefined;
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
  const grouped = body.rules.map((rule) => {
    const result = checkRule(rule);
    if (!result.ok) throw new PolicyRefused(`policy ${hash}: rule "${rule.id}": ${placed(result.problems[0]!)}`);
    return { checked: result.checked, group: groupOf(groups, rule.match, result.checked.matcher) };
  });
  // Only now: what a share is of may need a group that no rule has, and that one comes after all others.
  for (const { checked, group } of grouped) {
    const reads = checked.measures.map((measure) => readOf(groups, group, measure));
    const uncovered = uncoveredOf(groups, group, checked, reads);
    const learned = learnedValues(checked.rule, checked, body.baseline);
    group.rules.push({ ...checked, id: partId(`rule ${checked.rule.id}`), reads, uncovered, learned });
  }
  const explained = [...groups.values()].filter(({ features }) => features.some(({ kind }) => kind !== 'all'));
  for (const group of explained) group.stepBytes = Math.floor(STEPS_BYTES / explained.length);
  return {
    hash,
    settings: body.settings,
    groups,
    waiting: [...groups.values()].flatMap(waitingOf),
    evidence: planEvidence(checkIntents(hash, body), body.baseline),
    groupsFor: indexByAction([...groups.values()].filter(({ whole }) => whole === undefined)),
    forgetMs: forgetAfter(body.settings, groups.values()),
  };
}

function checkIntents(hash: string, { intents = [] }: PolicyBody): CheckedIntent[] {
  return intents.map((intent) => {
    const result = checkIntent(intent);
    if (result.ok) return result.checked;
    throw new PolicyRefused(`policy ${hash}: intent "${intent.id}": ${placed(result.problems[0]!)}`);
  });
}

interface MutableGroup extends GroupPlan {
  filter: string;
  actions: Matcher['actions'];
  features: FeaturePlan[];
  rules: RulePlan[];
}

function groupOf(groups: Map<number, MutableGroup>, match: Match, matcher: Matcher): MutableGroup {
  return addGroup(groups, `group ${canonicalJson(match)}`, matcher, undefined);
}

/**
 * Named by rule and filter, not by the exceptions: whoever edits them loses no count. A step is covered or not at its
 * own time.
 */
function uncoveredOf(
  groups: Map<number, MutableGroup>,
  whole: MutableGroup,
  { rule, exceptions, matcher }: CheckedRule,
  reads: RulePlan['reads'],
): GroupPlan | undefined {
  if (exceptions.length === 0) return undefined;
  const group = addGroup(groups, `uncovered ${rule.id} ${whole.filter}`, matcher, whole.id);
  group.features = [...new Set(reads.map(({ feature }) => feature))];
  return group;
}

function addGroup(
  groups: Map<number, MutableGroup>,
  filter: string,
  { test, actions }: Matcher,
  whole: number | undefined,
): MutableGroup {
  const id = partId(filter);
  const known = groups.get(id);
  if (known && known.filter !== filter) throw new PolicyRefused(`"${known.filter}" and "${filter}" share an id`);
  if (known) return known;
  const group: MutableGroup = { id, filter, test, actions, features: [], rules: [], stepBytes: 0, whole };
  groups.set(id, group);
  return group;
}

const ALL: Match = {};

function readOf(groups: Map<number, MutableGroup>, group: MutableGroup, measure: CheckedMeasure): MeasureRead {
  const { source, withinMs } = measure;
  const feature = featureOf(group, measure);
  if (source.reading !== 'ofAll') return { feature, reading: source.reading };
  const allGroup = groupOf(groups, ALL, compileMatch(ALL, []));
  const all = featureOf(allGroup, { source: { ...source, feature: 'all' }, withinMs, own: undefined });
  return { feature, reading: 'ofAll', all, allGroup: allGroup.id };
}

function featureOf(group: MutableGroup, { source, withinMs, own, weight }: Omit<CheckedMeasure, 'name'>): FeaturePlan {
  const { feature: kind } = source;
  const { timeMs, percent }: Partial<NumberSource> = source.feature === 'steps' ? {} : source;
  const filter = own === undefined ? '' : ` ${canonicalJson(own.match)}`;
  const id = partId(`feature ${kind} ${meaningOf(source, weight)} ${withinMs}${filter}`);
  const known = group.features.find((one) => one.id === id);
  if (known) return known;
  const reading = readingOf(source, weight);
  const create = () => createFeature(kind, withinMs, timeMs ?? percent);
  const movedMs = (kind === 'fading' ? timeMs! : withinMs) / PARTS_PER_WINDOW;
  const keepMs = kind === 'firstSeen' && timeMs !== undefined ? timeMs : withinMs;
  const plan: FeaturePlan = { id, kind, withinMs, movedMs, keepMs, reading, test: own?.test, create };
  group.features.push(plan);
  return plan;
}

function waitingOf({ id: group, features }: GroupPlan): Waiting[] {
  return features.flatMap(({ id: feature, reading }) => {
    const deadline = reading.kind === 'steps' ? reading.plan.deadline : undefined;
    return deadline === undefined ? [] : [{ group, feature, deadline }];
  });
}

/** What decides which number it is, beside its kind, its window and its filter. */
function meaningOf(source: MeasureSource, weight: Weight | undefined): string {
  if (source.feature === 'steps') return source.plan.meaning;
  return [source.field ?? '', source.timeMs, source.percent, weight?.text]
    .filter((part) => part !== undefined)
    .join(' ');
}

function indexByAction(groups: readonly MutableGroup[]): Plan['groupsFor'] {
  const lists = new Map<string, readonly GroupPlan[]>();
  return (action) => {
    let list = lists.get(action);
    if (!list) {
      list = groups.filter(({ actions }) => actions?.has(action) ?? true);
      lists.set(action, list);
    }
    return list;
  };
}

function forgetAfter(settings: PolicySettings, groups: Iterable<MutableGroup>): number {
  let longestMs = Math.max(settings.idleEndMs, settings.watchHoldMs, RETRY_WITHIN_MS);
  for (const { features } of groups) {
    for (const { keepMs } of features) if (Number.isFinite(keepMs)) longestMs = Math.max(longestMs, keepMs);
  }
  return longestMs + settings.delayMs + FUTURE_MS;
}

function placed({ path, message }: RuleProblem): string {
  return `${path.join('.')}: ${message}`;
}

import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import { compileMatch } from '../../src/engine/match/compile.ts';

export interface NaiveRule {
  id: string;
  mode: 'enforce' | 'shadow';
  match: Record<string, string | string[]>;
  /** Infinity for the life of the session. */
  withinMs: number;
  measures: Record<string, Measure>;
  when: Partial<Record<'watch' | 'pause' | 'kill', string>>;
  onError: 'watch' | 'pause';
  exceptions?: NaiveException[];
}

export interface NaiveException {
  name: string;
  match: Record<string, string | string[]>;
  atMost?: 'watch' | 'pause';
  when?: Partial<Record<'pause' | 'kill', string>>;
  expires: string;
}

export type Measure = 'count' | 'attempts' | 'rate' | 'sum(amount)' | 'distinct(target)' | 'distinct(tool)';

export interface NaivePolicy {
  settings: PolicySettings;
  rules: NaiveRule[];
}

/** One action in log order, with the policy in force and the partition's clock at it. */
export interface Arrived {
  offset: number;
  appendMs: number;
  clockMs: number;
  policy: NaivePolicy;
  event: ActionEvent;
}

export interface Judged extends Arrived {
  timeMs: number;
  /** Session clock at its arrival. */
  atMs: number;
  life: number;
  lifeStartMs: number;
  /** Its number in its life. */
  nth: number;
}

export type Which = 'all' | 'placed';
/** All actions that a rule's filter passes, or those of them that no exception covered. */
export type Steps = 'whole' | 'uncovered';

export const RETRY_MS = 5 * 60_000;

const compiled = new WeakMap<NaiveRule['match'], { filter: string; test(event: ActionEvent): boolean }>();

function matcherOf(match: NaiveRule['match']) {
  const known = compiled.get(match) ?? { filter: canonicalJson(match), test: compileMatch(match, []).test };
  compiled.set(match, known);
  return known;
}

export function filterOf({ match }: NaiveRule): string {
  return matcherOf(match).filter;
}

export function passes({ match }: Pick<NaiveRule, 'match'>, event: ActionEvent): boolean {
  return matcherOf(match).test(event);
}

/** The same for one measure of it. */
function counted(past: readonly Judged[], rule: NaiveRule, measure: Measure): Judged[] {
  const feature = featureOf(measure);
  const has = ({ policy }: Judged) =>
    policy.rules.some(
      (one) =>
        filterOf(one) === filterOf(rule) &&
        one.withinMs === rule.withinMs &&
        Object.values(one.measures).some((other) => featureOf(other) === feature),
    );
  return past.slice(past.findLastIndex((one) => !has(one)) + 1).filter((one) => passes(rule, one.event));
}

export function covering({ exceptions = [] }: NaiveRule, { event, clockMs }: Arrived): NaiveException[] {
  return exceptions.filter(
    ({ match, expires }) => clockMs < Date.parse(`${expires}T24:00:00Z`) && passes({ match }, event),
  );
}

/**
 * Of the marks those that no exception covered when they came. What came before the rule counted this measure apart,
 * without a break until now, was covered by none.
 */
function uncovered(marks: readonly Judged[], past: readonly Judged[], rule: NaiveRule, measure: Measure): Judged[] {
  const same = ({ policy }: Judged) =>
    policy.rules.find(
      (one) =>
        one.id === rule.id &&
        filterOf(one) === filterOf(rule) &&
        one.exceptions !== undefined &&
        one.withinMs === rule.withinMs &&
        Object.values(one.measures).some((other) => featureOf(other) === featureOf(measure)),
    );
  const since = past.findLastIndex((one) => same(one) === undefined) + 1;
  return marks.filter((one) => past.indexOf(one) < since || covering(same(one)!, one).length === 0);
}

function featureOf(measure: Measure): Exclude<Measure, 'rate'> {
  return measure === 'rate' ? 'count' : measure;
}

/** What a measure of a rule is at `now`: worked out from the events themselves. */
export function measured(
  measure: Measure,
  rule: NaiveRule,
  past: readonly Judged[],
  now: Judged,
  which: Which,
  steps: Steps,
): number {
  const { withinMs } = rule;
  const isLive = (one: Judged) => (Number.isFinite(withinMs) ? one.atMs > now.atMs - withinMs : one.life === now.life);
  const isUsed = (one: Judged) => which === 'all' || !(one.atMs - one.timeMs > withinMs / 60);
  const passed = counted(past, rule, measure);
  const marks = steps === 'whole' ? passed : uncovered(passed, past, rule, measure);
  const used = marks.filter((one) => isLive(one) && isUsed(one));
  switch (measure) {
    case 'attempts':
      return used.length;
    case 'distinct(tool)':
      return new Set(used.map((one) => one.event.tool)).size;
    case 'distinct(target)':
      return new Set(used.flatMap((one) => targetsOf(one.event))).size;
    default: {
      const total = used.reduce((sum, one) => sum + addedBy(one, marks, measure, withinMs), 0);
      if (measure !== 'rate') return total;
      const lengthMs = Number.isFinite(withinMs) ? withinMs : Math.max(now.atMs - now.lifeStartMs, 60_000);
      return total / (lengthMs / 60_000);
    }
  }
}

function targetsOf({ targets, resource }: ActionEvent): readonly string[] {
  if (targets !== undefined && targets.length > 0) return targets;
  return resource?.id === undefined ? [] : [resource.id];
}

function weightOf({ affected, amount }: ActionEvent, measure: Measure): number {
  if (measure === 'sum(amount)') return amount ?? 0;
  const valid = typeof affected === 'number' && Number.isInteger(affected) && affected >= 1 && affected <= 1e9;
  return valid ? affected : 1;
}

/** What the failed call that this one repeats has added and still stands for; undefined when it is no retry. */
function standing(one: Judged, marks: readonly Judged[], measure: Measure, withinMs: number): Standing | undefined {
  const { argsDigest } = one.event;
  const before = marks.slice(0, marks.indexOf(one)).findLast((other) => callOf(other.event) === callOf(one.event));
  if (argsDigest === undefined || before === undefined) return undefined;
  if (before.event.outcome !== 'error' && before.event.outcome !== 'denied') return undefined;
  if (!Number.isFinite(withinMs) && before.life !== one.life) return undefined;
  const added = standing(before, marks, measure, withinMs);
  const own = weightOf(before.event, measure);
  const sinceMs = added?.sinceMs ?? before.atMs;
  const inTime = one.atMs - before.atMs <= RETRY_MS && sinceMs > one.atMs - withinMs;
  return inTime ? { sinceMs, weight: Math.max(own, added?.weight ?? 0) } : undefined;
}

interface Standing {
  sinceMs: number;
  weight: number;
}

function addedBy(one: Judged, marks: readonly Judged[], measure: Measure, withinMs: number): number {
  const weight = weightOf(one.event, measure);
  return Math.max(0, weight - (standing(one, marks, measure, withinMs)?.weight ?? 0));
}

function callOf({ tool, toolServer, resource, argsDigest }: ActionEvent): string {
  return canonicalJson([tool, toolServer ?? '', resource?.type ?? '', resource?.id ?? '', argsDigest ?? '']);
}

import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import { compileMatch } from '../../src/engine/match/compile.ts';
import { type Completion, completionsOf, deadlinesOf, type Look, type NaiveSequence } from './naive-sequences.ts';

/** The one weight there is: see `weightOf`. */
export const WEIGHT = 'affected * (action == "delete" ? 3 : 1)';
export const HALF_LIFE_MS = 3 * 60_000;
export const HORIZON_MS = 2 * 3_600_000;

export interface NaiveRule {
  id: string;
  mode: 'enforce' | 'shadow';
  match: Record<string, string | string[]>;
  /** Infinity for the life of the session. */
  withinMs: number;
  measures: Record<string, Measure | OwnMeasure | NaiveSequence>;
  when: Partial<Record<'watch' | 'pause' | 'kill', string>>;
  onError: 'watch' | 'pause';
  weight?: typeof WEIGHT;
  exceptions?: NaiveException[];
}

export interface NaiveException {
  name: string;
  match: Record<string, string | string[]>;
  atMost?: 'watch' | 'pause';
  when?: Partial<Record<'pause' | 'kill', string>>;
  expires: string;
}

export type Measure =
  | 'count'
  | 'attempts'
  | 'rate'
  | 'share'
  | 'sum(amount)'
  | 'avg(amount)'
  | 'min(amount)'
  | 'max(amount)'
  | 'percentile(amount, 75)'
  | 'distinct(target)'
  | 'firstSeen(target)'
  | 'firstSeen(target, 2h)'
  | 'points'
  | 'points(3m)'
  | 'distinct(tool)';

/** A measure with a filter and a window of its own; without them, those of the rule. */
export interface OwnMeasure {
  of: Measure;
  match?: NaiveRule['match'];
  withinMs?: number;
}

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
  /** Under which policies the session was judged after it, before its next action. */
  silentUnder: NaivePolicy[];
}

/** When a session is judged: at its last action, or in the silence after it, at a later record of the log. */
export type Now = Pick<Judged, 'offset' | 'clockMs' | 'atMs' | 'life' | 'lifeStartMs' | 'nth'>;

/** What a session has lived through: its actions, and the records of the log since, where what is missing is noticed. */
export interface History {
  past: readonly Judged[];
  looks: readonly Look[];
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

/** A measure, or all actions that a share is of, with everything that decides what it counts. */
interface Stated {
  of: Measure | 'all actions' | NaiveSequence;
  /** All of these must hold. */
  matches: NaiveRule['match'][];
  withinMs: number;
}

export function statedIn(rule: NaiveRule): Stated[] {
  return Object.values(rule.measures).map((measure) => {
    if (typeof measure !== 'string' && 'order' in measure) {
      return { of: measure, matches: [rule.match], withinMs: rule.withinMs };
    }
    const { of, match, withinMs = rule.withinMs }: OwnMeasure = typeof measure === 'string' ? { of: measure } : measure;
    const matches = match === undefined ? [rule.match] : [rule.match, match];
    return { of, matches, withinMs: of === 'points(3m)' ? 20 * HALF_LIFE_MS : withinMs };
  });
}

/** The actions since the session was last judged under a policy of which this does not hold. */
export function sinceAll(past: readonly Judged[], holds: (policy: NaivePolicy) => boolean): readonly Judged[] {
  return past.slice(past.findLastIndex(({ policy, silentUnder }) => ![policy, ...silentUnder].every(holds)) + 1);
}

/** The actions that it counted: since the session was last judged under a policy that does not measure this. */
function counted(past: readonly Judged[], stated: Stated): Judged[] {
  const wanted = identityOf(stated);
  return sinceAll(past, (policy) => measuredBy(policy).has(wanted)).filter(({ event }) =>
    stated.matches.every((match) => passes({ match }, event)),
  );
}

const identities = new Map<NaivePolicy, Set<string>>();

function measuredBy(policy: NaivePolicy): Set<string> {
  let known = identities.get(policy);
  if (!known) {
    // Whoever has a share has what it is a share of.
    const all = policy.rules.flatMap(statedIn).flatMap((one) => (one.of === 'share' ? [one, allOf(one)] : [one]));
    known = new Set(all.map(identityOf));
    identities.set(policy, known);
  }
  return known;
}

function identityOf({ of, matches, withinMs }: Stated): string {
  return JSON.stringify([of === 'rate' ? 'count' : of, matches, String(withinMs)]);
}

function allOf({ withinMs }: Stated): Stated {
  return { of: 'all actions', matches: [], withinMs };
}

export function covering({ exceptions = [] }: NaiveRule, { event, clockMs }: Arrived): NaiveException[] {
  return exceptions.filter((one) => isInForce(one, { clockMs }) && passes(one, event));
}

export function isInForce({ expires }: NaiveException, { clockMs }: Pick<Now, 'clockMs'>): boolean {
  return clockMs < Date.parse(`${expires}T24:00:00Z`);
}

/**
 * Of the marks those that no exception covered when they came. What came before the rule counted this measure apart,
 * without a break until now, was covered by none.
 */
function uncovered(marks: readonly Judged[], past: readonly Judged[], rule: NaiveRule, stated: Stated): Judged[] {
  const wanted = identityOf(stated);
  const same = ({ rules }: NaivePolicy) =>
    rules.find(
      (one) =>
        one.id === rule.id &&
        filterOf(one) === filterOf(rule) &&
        one.exceptions !== undefined &&
        statedIn(one).some((other) => identityOf(other) === wanted),
    );
  const apart = new Set(sinceAll(past, (policy) => same(policy) !== undefined));
  return marks.filter((one) => !apart.has(one) || covering(same(one.policy)!, one).length === 0);
}

/** What the measures of a rule are at `now`: worked out from the events themselves. */
export function measured(
  rule: NaiveRule,
  history: History,
  now: Now,
  which: Which,
  steps: Steps,
): Record<string, number> {
  const names = Object.keys(rule.measures);
  return Object.fromEntries(
    statedIn(rule).map((stated, i) => {
      return [names[i]!, resultOf(stated, marksOf(stated, history, rule, steps), history, now, which)];
    }),
  );
}

function marksOf(stated: Stated, { past }: History, rule: NaiveRule, steps: Steps): Judged[] {
  const passed = counted(past, stated);
  return steps === 'whole' ? passed : uncovered(passed, past, rule, stated);
}

/** The sequences of a rule as they stand: what completed them, and until when they wait, each by the partition's clock. */
export function sequencesIn(
  rule: NaiveRule,
  history: History,
): { completions: readonly Completion[]; deadlinesMs: readonly number[] } {
  const kinds: Steps[] = rule.exceptions === undefined ? ['whole'] : ['whole', 'uncovered'];
  const all = statedIn(rule).flatMap((stated) => {
    const { of, withinMs } = stated;
    if (typeof of === 'string') return [];
    return kinds.map((steps) => {
      const marks = marksOf(stated, history, rule, steps);
      return {
        completions: completionsOf(of, marks, withinMs, 'all', history.looks),
        deadlinesMs: deadlinesOf(of, marks, withinMs, history.looks),
      };
    });
  });
  return {
    completions: all.flatMap(({ completions }) => completions),
    deadlinesMs: all.flatMap(({ deadlinesMs }) => deadlinesMs),
  };
}

function resultOf(stated: Stated, marks: readonly Judged[], { past, looks }: History, now: Now, which: Which): number {
  const { of, withinMs } = stated;
  const isLive = (one: Pick<Judged, 'atMs' | 'life'>) =>
    Number.isFinite(withinMs) ? one.atMs > now.atMs - withinMs : one.life === now.life;
  const sureMs = of === 'points(3m)' ? HALF_LIFE_MS / 60 : withinMs / 60;
  const isUsed = (one: Judged) => which === 'all' || !(one.atMs - one.timeMs > sureMs);
  const live = marks.filter(isLive);
  if (typeof of !== 'string') {
    const completions = completionsOf(of, marks, withinMs, which, looks).filter(isLive);
    return completions.reduce((sum, { count }) => sum + count, 0);
  }
  const used = live.filter(isUsed);
  switch (of) {
    case 'attempts':
      return used.length;
    case 'distinct(tool)':
      return new Set(used.map((one) => one.event.tool)).size;
    case 'distinct(target)':
      return new Set(used.flatMap((one) => targetsOf(one.event))).size;
    case 'firstSeen(target)':
    case 'firstSeen(target, 2h)':
      return used.reduce((sum, one) => sum + newTargets(one, marks, of), 0);
    case 'points(3m)':
      return used.reduce((sum, one) => {
        return sum + addedBy(one, marks, of, withinMs) * 2 ** (-(now.atMs - one.atMs) / HALF_LIFE_MS);
      }, 0);
    case 'min(amount)':
    case 'max(amount)': {
      const amounts = (of: Judged[]) => of.flatMap(({ event }) => event.amount ?? []);
      return numberOr(amounts(used), amounts(live), (all) => Math[of === 'min(amount)' ? 'min' : 'max'](...all));
    }
    case 'percentile(amount, 75)': {
      const amounts = (of: Judged[]) => of.flatMap(({ event }) => event.amount ?? []);
      return numberOr(amounts(used), amounts(live), (all) => {
        return all.sort((a, b) => a - b)[Math.max(0, Math.ceil(all.length * 0.75) - 1)]!;
      });
    }
    case 'avg(amount)': {
      const withAmount = marks.filter(({ event }) => (event.amount ?? -1) >= 0);
      const amounts = (of: Judged[]) =>
        of
          .filter((one) => withAmount.includes(one))
          .filter((one) => one.event.amount! > (standing(one, withAmount, 'avg(amount)', withinMs)?.weight ?? -1))
          .map((one) => one.event.amount!);
      return numberOr(amounts(used), amounts(live), (all) => all.reduce((a, b) => a + b, 0) / all.length);
    }
    case 'share': {
      const all = counted(past, allOf(stated));
      const sum = (of: readonly Judged[], among: readonly Judged[]) =>
        of.reduce((n, one) => n + addedBy(one, among, 'count', withinMs), 0);
      const part = sum(used, marks);
      return part === 0 ? 0 : Math.min(1, part / sum(all.filter(isLive), all));
    }
    case 'count':
    case 'all actions':
    case 'rate':
    case 'points':
    case 'sum(amount)': {
      const total = used.reduce((sum, one) => sum + addedBy(one, marks, of, withinMs), 0);
      if (of !== 'rate') return total;
      const lengthMs = Number.isFinite(withinMs) ? withinMs : Math.max(now.atMs - now.lifeStartMs, 60_000);
      return total / (lengthMs / 60_000);
    }
    default:
      return of satisfies never;
  }
}

/** 0 where there is no number at all; none where only marks have one that do not count. */
function numberOr(used: number[], live: number[], of: (numbers: number[]) => number): number {
  if (used.length > 0) return of(used);
  return live.length === 0 ? 0 : Number.NaN;
}

/** How many targets of an action the ones before it do not have: those of its life, or of the horizon. */
function newTargets(one: Judged, marks: readonly Judged[], of: Stated['of']): number {
  const isBefore = (other: Judged) =>
    of === 'firstSeen(target)' ? other.life === one.life : other.atMs > one.atMs - HORIZON_MS;
  const before = marks.slice(0, marks.indexOf(one)).filter(isBefore);
  const known = new Set(before.flatMap(({ event }) => targetsOf(event)));
  return [...new Set(targetsOf(one.event))].filter((target) => !known.has(target)).length;
}

function targetsOf({ targets, resource }: ActionEvent): readonly string[] {
  if (targets !== undefined && targets.length > 0) return targets;
  return resource?.id === undefined ? [] : [resource.id];
}

function weightOf({ affected, amount, action }: ActionEvent, measure: Stated['of']): number {
  if (measure === 'sum(amount)' || measure === 'avg(amount)') return Math.max(amount ?? 0, 0);
  const valid = typeof affected === 'number' && Number.isInteger(affected) && affected >= 1 && affected <= 1e9;
  const objects = valid ? affected : 1;
  return (measure === 'points' || measure === 'points(3m)') && action === 'delete' ? 3 * objects : objects;
}

/** What the failed call that this one repeats has added and still stands for; undefined when it is no retry. */
function standing(
  one: Judged,
  marks: readonly Judged[],
  measure: Stated['of'],
  withinMs: number,
): Standing | undefined {
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

function addedBy(one: Judged, marks: readonly Judged[], measure: Stated['of'], withinMs: number): number {
  const weight = weightOf(one.event, measure);
  return Math.max(0, weight - (standing(one, marks, measure, withinMs)?.weight ?? 0));
}

function callOf({ tool, toolServer, resource, argsDigest }: ActionEvent): string {
  return canonicalJson([tool, toolServer ?? '', resource?.type ?? '', resource?.id ?? '', argsDigest ?? '']);
}

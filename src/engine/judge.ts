import type { ActionEvent } from '../domain/event.ts';
import { type Condition, levelRank } from '../domain/level.ts';
import { ExpressionFault } from './expression/fault.ts';
import type { Value } from './expression/term.ts';
import { SESSION_NAMES, type SessionName } from './plan/names.ts';
import type { RulePlan } from './plan/policy.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import type { Standing } from './window/feature.ts';

/** What one rule says of a session at one record, with the numbers that it looked at. */
export interface Ruling {
  rule: RulePlan;
  group: Group;
  /** The highest condition that holds, capped where certainty is missing. */
  condition: Condition | undefined;
  /** Why an expression has no value; the condition is then the rule's `onError`. */
  fault: ExpressionFault['reason'] | undefined;
  values: readonly Value[];
  score: number;
  threshold: number;
}

const SESSION_VALUES: Record<SessionName, (session: Session, event: ActionEvent) => Value> = {
  'session.age': (session) => session.clockMs - session.lifeStartMs,
  'session.actions': (session) => session.actions,
  'session.level': (session) => levelRank(session.level),
  'session.agent': (session) => session.agent,
  'session.role': (session) => session.role ?? '',
  'session.principal': (session) => session.principal ?? '',
  'session.purpose': (_, event) => event.purpose ?? '',
};
const SESSION_READERS = (Object.keys(SESSION_NAMES) as SessionName[]).map((name) => SESSION_VALUES[name]);

/** Evaluates one rule over what its group has counted. Changes nothing but what has expired. */
export function judge(rule: RulePlan, group: Group, session: Session, event: ActionEvent): Ruling {
  const values = valuesOf(rule, group, session, event, 'moved');
  const ruling: Ruling = { rule, group, condition: undefined, fault: undefined, values, score: 0, threshold: 0 };
  try {
    for (let i = rule.conditions.length - 1; i >= 0; i--) {
      const { condition, holds, comparisons } = rule.conditions[i]!;
      if (!holds(values)) continue;
      const certain = condition !== 'kill' || isCertain(rule, group, session, event, holds);
      ruling.condition = certain ? condition : 'pause';
      const decisive = comparisons.find((comparison) => comparison.holds(values)) ?? comparisons[0];
      ruling.score = decisive?.score(values) ?? Number(values[0]);
      ruling.threshold = decisive?.threshold(values) ?? 0;
      break;
    }
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    ruling.fault = error.reason;
    ruling.condition = rule.rule.onError;
  }
  return ruling;
}

/** A kill rests on marks whose time is sure and on a session that is known whole; else a person decides. */
function isCertain(
  rule: RulePlan,
  group: Group,
  session: Session,
  event: ActionEvent,
  holds: (values: readonly Value[]) => boolean,
): boolean {
  return !session.degraded && holds(valuesOf(rule, group, session, event, 'placed'));
}

/** The values in the order of `RuleNames`. `moved`: all marks; `placed`: without those that were moved in time. */
function valuesOf(rule: RulePlan, group: Group, session: Session, event: ActionEvent, marks: Standing): Value[] {
  const values: Value[] = [];
  for (const { feature, perMinute } of rule.reads) {
    const state = group.features.get(feature.id);
    const total = marks === 'placed' ? state?.placed(session.clockMs) : state?.total(session.clockMs);
    values.push(perMinute ? (total ?? 0) / minutesOf(feature.withinMs, session) : (total ?? 0));
  }
  for (const { value } of rule.names.baseline) values.push(value);
  for (const read of SESSION_READERS) values.push(read(session, event));
  return values;
}

/** The window's length; over the life of a session its age, at least one minute so that a start is no burst. */
function minutesOf(withinMs: number, session: Session): number {
  const lengthMs = Number.isFinite(withinMs) ? withinMs : Math.max(session.clockMs - session.lifeStartMs, 60_000);
  return lengthMs / 60_000;
}

export function measuresOf({ rule, values }: Ruling): Record<string, number> {
  return Object.fromEntries(rule.names.measures.map((name, slot) => [name, Number(values[slot])]));
}

export function baselineOf({ rule }: Ruling): Record<string, number> {
  return Object.fromEntries(rule.names.baseline.map(({ name, value }) => [name, value]));
}

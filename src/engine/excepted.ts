import { judge, type Ruling, rankOf } from './judge.ts';
import { type Observed, observe } from './observe.ts';
import type { ExceptionPlan } from './plan/exceptions.ts';
import type { GroupPlan, RulePlan } from './plan/policy.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';

/**
 * What a rule with exceptions says of an action.
 *
 *   all actions ───────► what the rule would do ──► at most what the exception leaves to it ──┐
 *   those not covered ─► what the rule does ──────────────────────────────────────────────────┴─► the higher of both
 *
 * So an exception spares nothing that the other actions add up to, however many covered ones are mixed in, it never
 * takes a watch away, and it is never stricter than the rule. An action is covered, or not, at its own time; several
 * exceptions that cover it leave what the most generous of them leaves.
 */
export function judgeExcepted(
  rule: RulePlan,
  uncovered: GroupPlan,
  group: Group,
  session: Session,
  observed: Observed,
): Ruling {
  const { event, clockMs } = observed;
  const covering = rule.exceptions.filter(({ endsMs, covers }) => clockMs < endsMs && covers(event));
  // It is there from the first action on: where it is missing, exceptions are new to this session (see `convert`).
  const apart = session.group(uncovered.id);
  if (covering.length === 0) observe(session, uncovered, observed);
  else apart.featuresOf(uncovered.features);
  const left = (whole: Ruling) =>
    covering.length === 0
      ? capped(whole, 'watch')
      : covering.map((one) => leftBy(one, whole, session)).reduce(lowerOf, whole);
  return combined(rule, { group, apart, left, covering }, session);
}

/**
 * The same where no action came. Which exceptions covered the steps that wait is not known any more: the one that leaves
 * most counts, so that none lifts more than it says.
 */
export function judgeExceptedSilence(
  rule: RulePlan,
  uncovered: GroupPlan,
  group: Group,
  session: Session,
  clockMs: number,
): Ruling {
  const covering = rule.exceptions.filter(({ endsMs }) => clockMs < endsMs);
  const left = (whole: Ruling) =>
    covering.map((one) => leftBy(one, whole, session)).reduce(higherOf, capped(whole, 'watch'));
  return combined(rule, { group, apart: session.group(uncovered.id), left, covering }, session);
}

interface Apart {
  group: Group;
  apart: Group;
  left(whole: Ruling): Ruling;
  covering: readonly ExceptionPlan[];
}

/** What exceptions leave of the whole, or what the uncovered actions add up to: the higher of both. */
function combined(rule: RulePlan, { group, apart, left, covering }: Apart, session: Session): Ruling {
  const whole = judge(rule, group, session);
  const own = judge(rule, apart, session);
  const ruling = higherOf(own, left(whole));
  if (ruling === own && apart.passed < group.passed) ruling.note = ' (without what exceptions cover)';
  ruling.fault = whole.fault ?? own.fault;
  if (rankOf(whole.condition) > rankOf(ruling.condition)) {
    // Where no exception covers the action, earlier ones were covered, by any of them.
    const names = (covering.length === 0 ? rule.exceptions : covering).map(({ exception }) => exception.name);
    ruling.lifted = { whole, exceptions: names };
  }
  return ruling;
}

/** Whether any condition holds, with or without the covered actions. */
export function holdsExcepted(rule: RulePlan, group: Group, session: Session): boolean {
  const apart = rule.uncovered && session.groups.get(rule.uncovered.id);
  return [group, ...(apart === undefined ? [] : [apart])].some(
    (one) => judge(rule, one, session).condition !== undefined,
  );
}

/** What of the rule's ruling one exception leaves. A raised bound without a value lifts nothing. */
function leftBy(
  { exception: { name, atMost = 'watch' }, raised }: ExceptionPlan,
  whole: Ruling,
  session: Session,
): Ruling {
  if (raised === undefined) return capped(whole, atMost);
  const beyond = judge(whole.rule, whole.group, session, raised);
  if (beyond.fault !== undefined || rankOf(beyond.condition) >= rankOf(whole.condition)) return { ...whole };
  if (beyond.condition === undefined) return capped(whole, 'watch');
  return { ...beyond, note: ` (more than the exception ${name} allows)` };
}

function capped(ruling: Ruling, atMost: 'watch' | 'pause'): Ruling {
  return { ...ruling, condition: rankOf(ruling.condition) > rankOf(atMost) ? atMost : ruling.condition };
}

/** The first where both are equal. */
function higherOf(a: Ruling, b: Ruling): Ruling {
  return rankOf(b.condition) > rankOf(a.condition) ? b : a;
}

function lowerOf(a: Ruling, b: Ruling): Ruling {
  return rankOf(b.condition) < rankOf(a.condition) ? b : a;
}

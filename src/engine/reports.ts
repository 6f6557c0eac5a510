import { type Condition, LEVEL_OF } from '../domain/level.ts';
import { finiteOnly, type Grounds, groundsOf } from './grounds.ts';
import { measuresOf, type Ruling, rankOf } from './judge.ts';
import type { Outputs } from './outputs.ts';
import { HELD_FAILING, HELD_LIFTED, HELD_LIFTED_UNIT, HELD_RANK, type Session } from './session/session.ts';

/** What is in the shadow says what it would have done: once for each rise. `id` names the rule in the session. */
export function reportShadow(
  session: Session,
  id: number,
  condition: Condition | undefined,
  grounds: () => Grounds,
  triggerEventId: string,
  outputs: Outputs,
): void {
  const before = session.held.get(id) ?? 0;
  const rank = rankOf(condition) + 1;
  hold(session, id, (before & ~HELD_RANK) | rank);
  if (condition === undefined || rank <= (before & HELD_RANK)) return;
  const level = { from: session.level, to: LEVEL_OF[condition] };
  outputs.finding('shadow_hit', session, { triggerEventId, ...grounds(), level });
}

/** An exception never blinds: once for each rise, what the rule would have done without it, and over which numbers. */
export function reportLifted(
  session: Session,
  { rule, lifted }: Ruling,
  triggerEventId: string,
  outputs: Outputs,
): void {
  const before = session.held.get(rule.id) ?? 0;
  const rank = rankOf(lifted?.whole.condition) + 1;
  hold(session, rule.id, (before & ~HELD_LIFTED) | (rank * HELD_LIFTED_UNIT));
  if (lifted === undefined || rank * HELD_LIFTED_UNIT <= (before & HELD_LIFTED)) return;
  const { whole, exceptions } = lifted;
  const to = LEVEL_OF[whole.condition!];
  const details = groundsOf(session, whole);
  const reason = `not ${to}, by the exception ${exceptions.join(' or ')}: ${details.reason}`;
  const level = { from: session.level, to };
  outputs.finding('bound_lifted', session, {
    triggerEventId,
    ...details,
    reason,
    exceptions: [...exceptions],
    level,
  });
}

/** Once when a rule begins to fail, not at each event that it fails on. */
export function reportFault(session: Session, ruling: Ruling, triggerEventId: string, outputs: Outputs): void {
  const before = session.held.get(ruling.rule.id) ?? 0;
  const failing = ruling.fault === undefined ? 0 : HELD_FAILING;
  if (failing === (before & HELD_FAILING)) return;
  hold(session, ruling.rule.id, (before & ~HELD_FAILING) | failing);
  if (failing === 0) return;
  const { id, onError } = ruling.rule.rule;
  const reason = `an expression of the rule has no value here (${ruling.fault}); it counts as ${onError} at least`;
  outputs.finding('rule_failed', session, {
    reason,
    rule: id,
    triggerEventId,
    measures: finiteOnly(measuresOf(ruling)),
  });
}

function hold(session: Session, ruleId: number, flags: number): void {
  if (flags === 0) session.held.delete(ruleId);
  else session.held.set(ruleId, flags);
}

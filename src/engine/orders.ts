import type { Command } from '../domain/command.ts';
import { type Decision, ORDERS_MAX, type Order, type OrderScope, scopeText } from '../domain/decision.ts';
import { answered, refuse } from './decide.ts';
import type { Cause, Grounds } from './grounds.ts';
import { issue, plainGrounds, setLevel, standingOf } from './level.ts';
import type { Outputs } from './outputs.ts';
import { LIFTED_MAX } from './partition-state.ts';
import { isCrowdId } from './session/crowd-id.ts';
import type { Session } from './session/session.ts';

const RULE = 'firebreak:order';

/**
 * A person gives or lifts an order for all of an agent, a principal or a tenant. It holds until it is lifted, also for
 * sessions that begin later. Enforcement is capped at pause, whatever was asked for: so wide a kill needs a person for
 * each session.
 */
export function decideOrder(decision: Decision, outputs: Outputs): void {
  const { state } = outputs.partition;
  const { id, kind } = decision;
  const scope = scopeText(decision.scope!);
  const standing = state.orders.find((one) => scopeText(one.scope) === scope);
  if (kind === 'lift') {
    if (standing !== undefined) lift(standing, scope, decision, outputs);
    else if (!state.liftedOrders.includes(id)) refuse(undefined, decision, 'no_order', outputs, { scope });
  } else if (standing?.decision === id || state.liftedOrders.includes(id)) return;
  else if (standing !== undefined) refuse(undefined, decision, 'order_in_force', outputs, { scope });
  else if (state.orders.length >= ORDERS_MAX) refuse(undefined, decision, 'too_many_orders', outputs, { scope });
  else give(scope, decision, outputs);
}

function give(scope: string, decision: Decision, outputs: Outputs): void {
  const { state } = outputs.partition;
  const { by, reason: why } = decision;
  const named = answered(decision);
  const kind = decision.kind === 'kill' ? 'kill' : 'pause';
  const capped = kind === 'kill' ? ', enforced as a pause' : '';
  const reason = `order to ${kind} all of ${scope}${capped}, by ${by.id}${why === undefined ? '' : `: ${why}`}`;
  const command = scopeCommand(
    'pause',
    named.scope!,
    { cause: { triggerEventId: decision.id, by: named.by }, grounds: plainGrounds(RULE, reason) },
    outputs,
  );
  const order: Order = {
    decision: decision.id,
    command: command.id,
    scope: named.scope!,
    kind,
    by: named.by,
    ...(why === undefined ? {} : { reason: why }),
    sinceMs: outputs.nowMs,
  };
  state.orders = [...state.orders, order];
  const about = { command: command.id, rule: RULE, decision: named, triggerEventId: decision.id, scope };
  outputs.finding('order_in_force', undefined, { reason, severity: 'high', ...about });
}

function lift(order: Order, scope: string, decision: Decision, outputs: Outputs): void {
  const { partition, settings } = outputs;
  const { state } = partition;
  const { id, by, reason: why } = decision;
  const named = answered(decision);
  if (settings.releaseApprovals > 1 && order.liftedBy === undefined) {
    state.orders = state.orders.map((one) => (one === order ? { ...order, liftedBy: by.id } : one));
    const reason = `${by.id} agrees to lift the order for ${scope}: 1 more has to`;
    outputs.finding('decision_accepted', undefined, { reason, decision: named, triggerEventId: id, scope });
    return;
  }
  if (order.liftedBy === by.id) {
    refuse(undefined, decision, 'needs_second_person', outputs, { scope });
    return;
  }
  state.orders = state.orders.filter((one) => one !== order);
  state.liftedOrders = [...state.liftedOrders, order.decision, id].slice(-LIFTED_MAX);
  const together = order.liftedBy === undefined ? '' : `, with ${order.liftedBy}`;
  const reason = `order for ${scope} lifted by ${by.id}${together}${why === undefined ? '' : `: ${why}`}`;
  const because = { cause: { triggerEventId: id, by: named.by }, grounds: plainGrounds(RULE, reason) };
  const { id: command } = scopeCommand('resume', named.scope!, because, outputs);
  const about = { command, rule: RULE, decision: named, triggerEventId: id, scope };
  outputs.finding('order_lifted', undefined, { reason, ...about });
  for (const held of [...partition.ordered].sort()) {
    const session = partition.find(held);
    if (session?.standing?.order === scope) leaveOrder(session, reason, id, outputs);
  }
}

/**
 * What the crowd of an agent adds up to has crossed a bound. Enforcers know none of its sessions by themselves, so all of
 * the agent is paused, by an order that a person lifts as any other; nobody else is asked, and no time kills.
 */
export function orderForCrowd(
  session: Session,
  kind: Order['kind'],
  grounds: Grounds,
  cause: Cause,
  outputs: Outputs,
): void {
  const { state } = outputs.partition;
  const scope: OrderScope = { type: 'agent', id: session.agent };
  const text = scopeText(scope);
  setLevel(session, 'paused', grounds, cause, outputs);
  const isFull = state.orders.length >= ORDERS_MAX;
  const isOrdered = state.orders.some((one) => scopeText(one.scope) === text);
  if (isOrdered || !isFull) {
    standingOf(session).order = text;
    outputs.partition.schedule(session);
  }
  if (isOrdered) return;
  const { id: command } = scopeCommand('pause', scope, { cause, grounds }, outputs);
  const { rule, reason } = grounds;
  const about = { command, rule, triggerEventId: cause.triggerEventId, scope: text };
  if (isFull) {
    const advice = `${text} is paused, and this partition holds as many orders as it may: lift some, then give and lift one for it`;
    outputs.finding('order_in_force', undefined, { reason: `${advice} (${reason})`, severity: 'critical', ...about });
    return;
  }
  state.orders = [...state.orders, { decision: command, command, scope, kind, reason, sinceMs: outputs.nowMs }];
  const told = `all of ${text} is paused until somebody lifts it: ${reason}`;
  outputs.finding('order_in_force', undefined, { reason: told, severity: 'high', ...about });
}

function scopeCommand(
  action: 'pause' | 'resume',
  { type, id: of }: OrderScope,
  { cause: { triggerEventId, by }, grounds: { severity: _, ...reasoning } }: { cause: Cause; grounds: Grounds },
  outputs: Outputs,
): Command {
  const scope = scopeText({ type, id: of });
  const command: Command = {
    id: outputs.id('cmd', scope, reasoning.rule, action),
    action,
    scope,
    ...(type === 'tenant' ? { tenant: of } : { [type]: { id: of } }),
    triggerEventId,
    time: outputs.time,
    ...reasoning,
    ...(by === undefined ? {} : { by }),
    policyHash: outputs.policyHash,
    position: outputs.position,
  };
  outputs.command(command);
  return command;
}

/** The session comes under the first order that is about it. Where people are asked already, the request stays. */
export function takeOrders(session: Session, triggerEventId: string, outputs: Outputs): void {
  const { state } = outputs.partition;
  if (session.level === 'killed' || session.standing?.order !== undefined) return;
  const order = state.orders.find((one) => isAbout(one, session));
  if (order === undefined) return;
  const scope = scopeText(order.scope);
  standingOf(session).order = scope;
  if (session.level !== 'paused') {
    const { by, reason } = order;
    const why = reason === undefined ? '' : `: ${reason}`;
    const grounds = plainGrounds(RULE, `order for ${scope}${by === undefined ? '' : ` by ${by.id}`}${why}`);
    const cause = { triggerEventId, ...(by === undefined ? {} : { by }) };
    setLevel(session, 'paused', grounds, cause, outputs);
    if (!isCrowdId(session.id)) issue(session, 'pause', 'paused', grounds, cause, outputs);
  }
  outputs.partition.touched(session);
  outputs.partition.schedule(session);
}

export function isAbout({ scope: { type, id } }: Order, { agent, principal, tenant }: Session): boolean {
  switch (type) {
    case 'agent':
      return agent === id;
    case 'principal':
      return principal === id;
    case 'tenant':
      return tenant === id;
  }
}

/** The order is lifted: the session goes on, unless another order holds it or people are asked about it. */
function leaveOrder(session: Session, reason: string, decision: string, outputs: Outputs): void {
  const { partition, nowMs, record } = outputs;
  const standing = standingOf(session);
  standing.order = undefined;
  const other = partition.state.orders.find((one) => isAbout(one, session));
  if (other !== undefined) standing.order = scopeText(other.scope);
  else if (isCrowdId(session.id)) {
    // What it had summed is answered for: the next crowd begins at nothing.
    partition.forget(session);
    return;
  } else if (standing.pause === undefined && session.level === 'paused') {
    const grounds = plainGrounds(RULE, reason);
    const cause = { triggerEventId: decision };
    setLevel(session, 'watch', grounds, cause, outputs);
    issue(session, 'resume', 'watch', grounds, cause, outputs);
    session.watchMs = nowMs;
    session.lastMs = nowMs;
  }
  session.lastOffset = record.offset;
  partition.touched(session);
  partition.schedule(session);
}

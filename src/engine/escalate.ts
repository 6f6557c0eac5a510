import type { Command } from '../domain/command.ts';
import type { ActionEvent } from '../domain/event.ts';
import type { Finding } from '../domain/finding.ts';
import { LEVEL_OF, type Level, levelRank } from '../domain/level.ts';
import { baselineOf, decidingNumbers, measuresOf, type Ruling, rankOf } from './judge.ts';
import type { Outputs } from './outputs.ts';
import { evidenceOf, type Step } from './session/group.ts';
import { HELD_FAILING, HELD_LIFTED, HELD_LIFTED_UNIT, HELD_RANK, type Session } from './session/session.ts';

const COMMAND_OF = { paused: 'pause', killed: 'kill' } as const;

/**
 * What follows from the rulings on one action.
 *
 *   clear ──► watch ──► paused ──► killed       only upwards; `watch` alone falls by itself (see `relax`)
 *
 * The highest condition of all enforced rules decides, the first such rule speaks for it. A shadow rule only says what
 * it would have done, once for each rise.
 */
export function escalate(
  session: Session,
  rulings: Ruling[],
  event: ActionEvent,
  nowMs: number,
  outputs: Outputs,
): void {
  let decisive: Ruling | undefined;
  for (const ruling of rulings) {
    reportFault(session, ruling, event, outputs);
    if (ruling.rule.uncovered !== undefined) reportLifted(session, ruling, event, outputs);
    if (ruling.rule.rule.mode === 'shadow') reportShadow(session, ruling, event, outputs);
    else if (rankOf(ruling.condition) > rankOf(decisive?.condition)) decisive = ruling;
  }
  if (!decisive?.condition) return;
  session.watchMs = nowMs;
  const level = LEVEL_OF[decisive.condition];
  if (levelRank(level) <= levelRank(session.level)) return;
  const from = session.level;
  session.level = level;
  const reasoning = reasoningOf(session, decisive);
  outputs.finding('level_changed', session, { ...aboutRuling(decisive, event, reasoning), level: { from, to: level } });
  if (level !== 'paused' && level !== 'killed') return;
  const action = COMMAND_OF[level];
  const command: Command = {
    id: outputs.id('cmd', session.id, reasoning.rule, action),
    action,
    session: session.id,
    ...actorOf(event),
    triggerEventId: event.id,
    time: outputs.time,
    ...reasoning,
    policyHash: outputs.policyHash,
    position: outputs.position,
  };
  outputs.command(command);
  outputs.verdict(session, level, command);
}

/** Leaves `watch` when no condition has held for so long. The caller has seen to it that none holds now. */
export function relax(session: Session, event: ActionEvent, outputs: Outputs): void {
  const from = session.level;
  session.level = 'clear';
  const reason = 'no watch condition has held for the hold time';
  outputs.finding('level_changed', session, { reason, triggerEventId: event.id, level: { from, to: 'clear' } });
}

function reportShadow(session: Session, ruling: Ruling, event: ActionEvent, outputs: Outputs): void {
  const before = session.held.get(ruling.rule.id) ?? 0;
  const rank = rankOf(ruling.condition) + 1;
  hold(session, ruling.rule.id, (before & ~HELD_RANK) | rank);
  if (rank <= (before & HELD_RANK)) return;
  const to: Level = LEVEL_OF[ruling.condition!];
  const details = aboutRuling(ruling, event, reasoningOf(session, ruling));
  outputs.finding('shadow_hit', session, { ...details, level: { from: session.level, to } });
}

/** An exception never blinds: once for each rise, what the rule would have done without it, and over which numbers. */
function reportLifted(session: Session, { rule, lifted }: Ruling, event: ActionEvent, outputs: Outputs): void {
  const before = session.held.get(rule.id) ?? 0;
  const rank = rankOf(lifted?.whole.condition) + 1;
  hold(session, rule.id, (before & ~HELD_LIFTED) | (rank * HELD_LIFTED_UNIT));
  if (lifted === undefined || rank * HELD_LIFTED_UNIT <= (before & HELD_LIFTED)) return;
  const { whole, exceptions } = lifted;
  const to = LEVEL_OF[whole.condition!];
  const details = aboutRuling(whole, event, reasoningOf(session, whole));
  const reason = `not ${to}, by the exception ${exceptions.join(' or ')}: ${details.reason}`;
  const level = { from: session.level, to };
  outputs.finding('bound_lifted', session, { ...details, reason, exceptions: [...exceptions], level });
}

/** Once when a rule begins to fail, not at each event that it fails on. */
function reportFault(session: Session, ruling: Ruling, event: ActionEvent, outputs: Outputs): void {
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
    triggerEventId: event.id,
    measures: finiteOnly(measuresOf(ruling)),
  });
}

function hold(session: Session, ruleId: number, flags: number): void {
  if (flags === 0) session.held.delete(ruleId);
  else session.held.set(ruleId, flags);
}

type Reasoning = Pick<
  Command,
  'rule' | 'score' | 'threshold' | 'reason' | 'measures' | 'baseline' | 'evidence' | 'evidenceOmitted'
>;

function reasoningOf(session: Session, ruling: Ruling): Reasoning {
  const { rule, group } = ruling;
  const longestMs = Math.max(...rule.reads.map(({ feature }) => feature.withinMs));
  const steps = group.steps.filter((step) => contributes(step, session, longestMs));
  const measures = finiteOnly(measuresOf(ruling));
  const marks = Math.max(0, ...rule.reads.map(({ feature }) => group.features.get(feature.id)?.size() ?? 0));
  return {
    rule: rule.rule.id,
    ...decidingNumbers(ruling),
    reason: rule.explain(ruling.values) + ruling.note,
    measures,
    baseline: baselineOf(ruling),
    evidence: steps.map(evidenceOf),
    evidenceOmitted: Math.max(0, (Number.isFinite(longestMs) ? marks : group.passed) - steps.length),
  };
}

function contributes(step: Step, session: Session, withinMs: number): boolean {
  return Number.isFinite(withinMs) ? step.atMs > session.clockMs - withinMs : step.atMs >= session.lifeStartMs;
}

/** JSON has no infinities; what is not finite is why a rule failed, and the reason says so. */
function finiteOnly(numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));
}

function aboutRuling(
  ruling: Ruling,
  event: ActionEvent,
  reasoning: Reasoning,
): Omit<Finding, 'id' | 'code' | 'time' | 'position' | 'policyHash'> {
  return { triggerEventId: event.id, severity: ruling.rule.rule.severity, ...reasoning };
}

function actorOf({
  agent,
  principal,
  delegation,
  tenant,
}: ActionEvent): Pick<Command, 'agent' | 'principal' | 'delegation' | 'tenant'> {
  const { id, role, version } = agent;
  return {
    agent: { id, ...(role === undefined ? {} : { role }), ...(version === undefined ? {} : { version }) },
    ...(principal === undefined
      ? {}
      : { principal: { id: principal.id, ...(principal.type === undefined ? {} : { type: principal.type }) } }),
    ...(delegation === undefined ? {} : { delegation }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

import type { Command } from '../domain/command.ts';
import type { ActionEvent } from '../domain/event.ts';
import { type Condition, LEVEL_OF, levelRank } from '../domain/level.ts';
import { accusationGrounds } from './evidence/grounds.ts';
import { SHADOW_EVIDENCE } from './evidence/session-intents.ts';
import type { Accusations } from './evidence/weigh.ts';
import { type Grounds, groundsOf } from './grounds.ts';
import { type Ruling, rankOf } from './judge.ts';
import type { Outputs } from './outputs.ts';
import { reportFault, reportLifted, reportShadow } from './reports.ts';
import type { Session } from './session/session.ts';

const COMMAND_OF = { paused: 'pause', killed: 'kill' } as const;

/**
 * What follows from the rulings on one action, and from the evidence of its session.
 *
 *   clear ──► watch ──► paused ──► killed       only upwards; `watch` alone falls by itself (see `relax`)
 *
 * The highest condition of all enforced rules and intents decides. The first such rule speaks for it, the evidence only
 * where it asks for more than every rule: a rule is the simpler reason. A rule in the shadow only says what it would
 * have done, once for each rise; so does the evidence of intents in the shadow, once for each rise in a life.
 */
export function escalate(
  session: Session,
  rulings: Ruling[],
  { enforced, shadow }: Accusations,
  event: ActionEvent,
  nowMs: number,
  outputs: Outputs,
): void {
  let decisive: Ruling | undefined;
  for (const ruling of rulings) {
    reportFault(session, ruling, event, outputs);
    if (ruling.rule.uncovered !== undefined) reportLifted(session, ruling, event, outputs);
    const { id, rule } = ruling.rule;
    if (rule.mode === 'shadow')
      reportShadow(session, id, ruling.condition, () => groundsOf(session, ruling), event, outputs);
    else if (rankOf(ruling.condition) > rankOf(decisive?.condition)) decisive = ruling;
  }
  if (shadow) {
    const grounds = () => accusationGrounds(session, shadow);
    reportShadow(session, SHADOW_EVIDENCE, shadow.condition, grounds, event, outputs);
  }
  if (enforced && rankOf(enforced.condition) > rankOf(decisive?.condition))
    raise(session, enforced.condition, () => accusationGrounds(session, enforced), event, nowMs, outputs);
  else if (decisive?.condition) {
    const ruling = decisive;
    raise(session, decisive.condition, () => groundsOf(session, ruling), event, nowMs, outputs);
  }
}

/** Raises the session to what a condition asks for, and says so; a level that it has already stays. */
function raise(
  session: Session,
  condition: Condition,
  grounds: () => Grounds,
  event: ActionEvent,
  nowMs: number,
  outputs: Outputs,
): void {
  session.watchMs = nowMs;
  const level = LEVEL_OF[condition];
  if (levelRank(level) <= levelRank(session.level)) return;
  const from = session.level;
  session.level = level;
  const { severity, ...reasoning } = grounds();
  const about = { triggerEventId: event.id, severity, ...reasoning };
  outputs.finding('level_changed', session, { ...about, level: { from, to: level } });
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

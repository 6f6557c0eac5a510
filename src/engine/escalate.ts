import type { Command } from '../domain/command.ts';
import type { ActionEvent } from '../domain/event.ts';
import { type Condition, LEVEL_OF, levelRank } from '../domain/level.ts';
import { accusationGrounds } from './evidence/grounds.ts';
import { SHADOW_EVIDENCE } from './evidence/session-intents.ts';
import type { Accusations } from './evidence/weigh.ts';
import { type Cause, type Grounds, groundsOf } from './grounds.ts';
import { type Ruling, rankOf } from './judge.ts';
import { kill, pause, setLevel } from './level.ts';
import { orderForCrowd } from './orders.ts';
import type { Outputs } from './outputs.ts';
import { reportFault, reportLifted, reportShadow } from './reports.ts';
import { request } from './request.ts';
import { isCrowdId } from './session/crowd-id.ts';
import type { Session } from './session/session.ts';
import type { Release } from './standing/release.ts';
import { accusationCondition, namedConditions, passedBound, rulingCondition } from './suspended.ts';

/** What the session is judged at. */
export interface Occasion {
  triggerEventId: string;
  /** The action; undefined where none came, and what it left undone is judged. */
  event: ActionEvent | undefined;
}

/**
 * What follows from the rulings at one occasion, and from the evidence of the session.
 *
 *   clear ──► watch ──► paused ──► killed       only upwards; `watch` alone falls by itself (see `relax`)
 *
 * The highest condition of all enforced rules and intents decides. The first such rule speaks for it, the evidence only
 * where it asks for more than every rule: a rule is the simpler reason. A rule in the shadow only says what it would
 * have done, once for each rise; so does the evidence of intents in the shadow, once for each rise in a life.
 *
 * A release suspends the pause conditions that its request named, until the action that passes a bound of its grant.
 */
export function escalate(
  session: Session,
  rulings: readonly Ruling[],
  accusations: Accusations,
  occasion: Occasion,
  outputs: Outputs,
): void {
  const { enforced, shadow } = accusations;
  const { triggerEventId, event } = occasion;
  const release = session.standing?.release;
  let decisive: Ruling | undefined;
  let highest: Condition | undefined;
  for (const ruling of rulings) {
    reportFault(session, ruling, triggerEventId, outputs);
    if (ruling.rule.uncovered !== undefined) reportLifted(session, ruling, triggerEventId, outputs);
    const { id, rule } = ruling.rule;
    if (rule.mode === 'shadow') {
      reportShadow(session, id, ruling.condition, () => groundsOf(session, ruling), triggerEventId, outputs);
      continue;
    }
    const condition = left(release, ruling.condition, () => rulingCondition(ruling));
    if (rankOf(condition) <= rankOf(highest)) continue;
    decisive = ruling;
    highest = condition;
  }
  if (shadow) {
    const grounds = () => accusationGrounds(session, shadow);
    reportShadow(session, SHADOW_EVIDENCE, shadow.condition, grounds, triggerEventId, outputs);
  }
  const accused = enforced && left(release, enforced.condition, () => accusationCondition(enforced));
  const byEvidence = rankOf(accused) > rankOf(highest);
  const condition = byEvidence ? accused : highest;
  const passed = release && event && passedBound(session, release, rulings, accusations, event);
  if (passed !== undefined && condition !== 'kill') {
    session.watchMs = outputs.nowMs;
    const conditions = namedConditions(rulings, enforced, release);
    pause(session, passed, conditions, causeOf(occasion), outputs);
  } else if (condition !== undefined) {
    const grounds = () => (byEvidence ? accusationGrounds(session, enforced!) : groundsOf(session, decisive!));
    raise(session, condition, grounds, { rulings, accusations, occasion }, outputs);
  }
}

/** What a release leaves of a condition: its suspended pause counts as watch. */
function left(
  release: Release | undefined,
  condition: Condition | undefined,
  named: () => ReturnType<typeof rulingCondition>,
): Condition | undefined {
  if (release === undefined || condition !== 'pause') return condition;
  const { id, condition: held } = named();
  return release.suspends(id, held) ? 'watch' : condition;
}

interface Raised {
  rulings: readonly Ruling[];
  accusations: Accusations;
  occasion: Occasion;
}

/** Raises the session to what a condition asks for, and says so; a level that it has already stays. */
function raise(
  session: Session,
  condition: Condition,
  grounds: () => Grounds,
  { rulings, accusations: { enforced }, occasion }: Raised,
  outputs: Outputs,
): void {
  session.watchMs = outputs.nowMs;
  const level = LEVEL_OF[condition];
  const cause = causeOf(occasion);
  const waiting = session.standing?.pause;
  if (condition === 'pause' && waiting !== undefined) {
    // Whoever answers has to know of it: a release of what they have not seen would not suspend it either.
    const news = namedConditions(rulings, enforced, undefined).map((one) => waiting.name(one));
    if (news.includes('more')) request(session, waiting, grounds(), cause, outputs);
  }
  if (levelRank(level) <= levelRank(session.level)) return;
  if (isCrowdId(session.id) && condition !== 'watch') {
    if (session.level !== 'paused') orderForCrowd(session, condition, grounds(), cause, outputs);
    return;
  }
  switch (condition) {
    case 'watch':
      setLevel(session, level, grounds(), cause, outputs);
      break;
    case 'pause':
      pause(session, grounds(), namedConditions(rulings, enforced, session.standing?.release), cause, outputs);
      break;
    case 'kill':
      kill(session, grounds(), cause, outputs);
      break;
    default:
      condition satisfies never;
  }
}

/** Leaves `watch` when no condition has held for so long. The caller has seen to it that none holds now. */
export function relax(session: Session, event: ActionEvent, outputs: Outputs): void {
  const from = session.level;
  session.level = 'clear';
  const reason = 'no watch condition has held for the hold time';
  outputs.finding('level_changed', session, { reason, triggerEventId: event.id, level: { from, to: 'clear' } });
}

function causeOf({ triggerEventId, event }: Occasion): Cause {
  return { triggerEventId, ...(event === undefined ? {} : { actor: actorOf(event) }) };
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

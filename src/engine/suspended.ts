import type { ActionEvent } from '../domain/event.ts';
import { accusationGrounds } from './evidence/grounds.ts';
import { type Accusation, type Accusations, SILENT } from './evidence/weigh.ts';
import { partId } from './fingerprint.ts';
import { type Grounds, groundsOf } from './grounds.ts';
import { decidingNumbers, type Ruling, rankOf } from './judge.ts';
import { plainGrounds } from './level.ts';
import type { Session } from './session/session.ts';
import type { NamedCondition } from './standing/pause.ts';
import type { Release } from './standing/release.ts';

/** Names the evidence of all enforced intents together, in requests and grants. */
const EVIDENCE = partId('evidence in force');

/** The pause condition of a ruling, as a request names it. */
export function rulingCondition(ruling: Ruling): NamedCondition {
  const { rule, decidedBy } = ruling;
  const condition = decidedBy?.condition === 'kill' ? 'kill' : 'pause';
  return { id: rule.id, rule: rule.rule.id, condition, ...decidingNumbers(ruling) };
}

/** The same of the evidence. */
export function accusationCondition({ crossed, intent, cause, plan }: Accusation): NamedCondition {
  const condition = crossed === 'kill' ? 'kill' : 'pause';
  const threshold = plan.thresholds[crossed];
  return { id: EVIDENCE, rule: intent.intent.id, condition, score: cause.evidence, threshold };
}

/** What a request names: the pause conditions that hold now, and those that a release has suspended till now. */
export function namedConditions(
  rulings: readonly Ruling[],
  enforced: Accusation | undefined,
  release: Release | undefined,
): NamedCondition[] {
  const now = rulings
    .filter(({ rule, condition }) => rule.rule.mode !== 'shadow' && rankOf(condition) >= rankOf('pause'))
    .map(rulingCondition);
  if (enforced !== undefined && rankOf(enforced.condition) >= rankOf('pause')) now.push(accusationCondition(enforced));
  const suspended = release?.conditions.filter(({ id }) => !now.some((one) => one.id === id)) ?? [];
  return [...now, ...suspended];
}

/**
 * Takes the action into the grant of a release. Answers the grounds of the pause that follows where it passes a bound;
 * undefined where it does not, or where it does not count for any suspended condition.
 */
export function passedBound(
  session: Session,
  release: Release,
  rulings: readonly Ruling[],
  accusations: Accusations,
  event: ActionEvent,
): Grounds | undefined {
  const { conditions } = release;
  const isNamed = (id: number) => conditions.some((one) => one.id === id);
  const counting = rulings.filter(({ rule }) => isNamed(rule.id));
  const byEvidence = accusations !== SILENT && isNamed(EVIDENCE);
  if (conditions.length > 0 && counting.length === 0 && !byEvidence) return undefined;
  const holding = counting.filter(({ decidedBy }) => decidedBy !== undefined).map(rulingCondition);
  const { enforced } = accusations;
  if (byEvidence && enforced !== undefined) holding.push(accusationCondition(enforced));
  const bound = release.use(event, holding);
  if (bound === undefined) return undefined;
  const [ruling] = counting;
  const grounds =
    ruling !== undefined
      ? groundsOf(session, ruling)
      : byEvidence && enforced !== undefined
        ? accusationGrounds(session, enforced)
        : plainGrounds('firebreak:decision', 'released by a person', release.used, release.grant.marks);
  return { ...grounds, reason: `${grounds.reason} (paused again: ${bound})` };
}

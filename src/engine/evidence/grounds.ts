import { contributes } from '../contributions.ts';
import { finiteOnly, type Grounds } from '../grounds.ts';
import { evidenceOf } from '../session/evidence-step.ts';
import type { Session } from '../session/session.ts';
import { riskOf } from './thresholds.ts';
import type { Accusation } from './weigh.ts';

/** Why evidence asks for a level: how much the session did, what its cohort does, and what the threshold promises. */
export function accusationGrounds(session: Session, accusation: Accusation): Grounds {
  const { plan, cohort, intent, cause, crossed, cap } = accusation;
  const { evidence } = session.intents!;
  const { events, active } = cohort.models[cause.feature]!;
  const feature = evidence.feature(intent.id);
  const expected = events.mu * evidence.events;
  const { alpha, n, r, grade } = plan.certified[crossed];
  const steps = (session.groups.get(intent.id)?.steps ?? []).filter((step) =>
    contributes(step, session, Number.POSITIVE_INFINITY),
  );
  const sentence = [
    `${intent.intent.title}: ${counted(feature.count, 'mark')} in ${counted(evidence.events, 'action')},`,
    `where ${cohort.key === '' ? `all ${plan.of} together have` : `${cohort.key} has`} ${short(expected)}`,
    `(${cause.stream}, evidence ${short(cause.evidence)} nats;`,
    `at most ${short(alpha * 100)} % of benign ${plan.of} get this far, ${grade}, n = ${n})`,
    ...(cap === '' ? [] : [`held at pause: ${cap}`]),
  ];
  return {
    severity: intent.intent.severity,
    rule: intent.intent.id,
    score: cause.evidence,
    threshold: plan.thresholds[crossed],
    reason: sentence.join(' '),
    measures: finiteOnly({
      evidence: cause.evidence,
      risk: riskOf(cause.evidence, plan.thresholds),
      marks: feature.count,
      actions: evidence.events,
      activeHours: evidence.activeHours,
    }),
    cohort: cohort.key,
    baseline: { perAction: events.mu, perActiveHour: active.mu, expected, alpha, n, r },
    evidence: steps.map(evidenceOf),
    evidenceOmitted: Math.max(0, feature.markedEvents - steps.length),
  };
}

function counted(value: number, what: string): string {
  return `${short(value)} ${value === 1 ? what : `${what}s`}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

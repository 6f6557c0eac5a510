import type { EvidenceStep } from '../../domain/command.ts';
import { CONDITIONS, type Condition } from '../../domain/level.ts';
import type { Rule } from '../../domain/rule.ts';
import type { SessionState } from '../../domain/session.ts';
import { boundsOf, judge, measuresOf } from '../../engine/judge.ts';
import type { Plan } from '../../engine/plan/policy.ts';
import { evidenceOf } from '../../engine/session/evidence-step.ts';
import type { Session } from '../../engine/session/session.ts';
import { snapshotOf } from '../../engine/session/snapshot.ts';
import type { Reading } from '../gauge.ts';
import { nearnessOf } from './nearness.ts';

/** One rule over what the state keeps. */
export interface KeptRule {
  rule: Pick<Rule, 'id' | 'title' | 'severity' | 'mode' | 'when'>;
  /** Over all actions, also those that an exception covers. */
  measures: Reading['measures'];
  bounds: Reading['bounds'];
  exceptions: number;
  /** The last that passed its filter, and how many did in this life of the session. */
  steps: EvidenceStep[];
  passed: number;
}

/** What the intents say together, in nats; a threshold that is infinite is left out. */
export interface KeptEvidence {
  intent: string | undefined;
  evidence: number;
  highest: number;
  thresholds: Partial<Record<Condition, number>>;
}

/** How a session stands, without the log: not what it was stopped for, nor what would have spared it. */
export interface KeptExplanation extends Omit<SessionState, 'filters' | 'orders'> {
  judgedBy: string;
  /** Of the rules that look at any of its actions; the nearest to stopping it first. */
  rules: KeptRule[];
  intents: KeptEvidence | undefined;
}

/** As of the session's last record. What its state keeps is read under `plan`, so it is changed: it must be a copy. */
export function explainKept(session: Session, plan: Plan): KeptExplanation {
  const { filters: _, orders: __, ...about } = snapshotOf(session);
  session.convert(plan);
  const rules = [...plan.groups.values()].flatMap((group) => {
    const kept = session.groups.get(group.id);
    if (kept === undefined) return [];
    const steps = kept.steps.map(evidenceOf);
    return group.rules.map((planned): KeptRule => {
      const ruling = judge(planned, kept, session);
      const { id, title, severity, mode, when } = planned.rule;
      return {
        rule: { id, title, severity, mode, when },
        measures: measuresOf(ruling),
        bounds: boundsOf(ruling),
        exceptions: planned.exceptions.length,
        steps,
        passed: kept.passed,
      };
    });
  });
  rules.sort((a, b) => heldBy(b) - heldBy(a) || nearnessOf(b.bounds) - nearnessOf(a.bounds));
  return { ...about, judgedBy: plan.hash, rules, intents: keptEvidence(session, plan) };
}

/** How many conditions hold: they rise. */
function heldBy({ bounds }: KeptRule): number {
  return bounds.filter(({ holds }) => holds).length;
}

function keptEvidence({ intents }: Session, { evidence: plan }: Plan): KeptEvidence | undefined {
  if (intents === undefined || plan === undefined) return undefined;
  const cause = intents.evidence.cause(plan.cohort(intents.cohort).models);
  const finite = CONDITIONS.flatMap((condition) => {
    const threshold = plan.thresholds[condition];
    return Number.isFinite(threshold) ? [[condition, threshold] as const] : [];
  });
  return {
    intent: cause && plan.intents[cause.feature]!.intent.id,
    evidence: cause?.evidence ?? 0,
    highest: intents.evidence.highest,
    thresholds: Object.fromEntries(finite),
  };
}

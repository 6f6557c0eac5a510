import type { Command } from '../domain/command.ts';
import type { Rule } from '../domain/rule.ts';
import { baselineOf, decidingNumbers, measuresOf, type Ruling } from './judge.ts';
import { evidenceOf, type Step } from './session/group.ts';
import type { Session } from './session/session.ts';

/** Why: the same in a command and in a finding. */
export type Reasoning = Pick<
  Command,
  'rule' | 'score' | 'threshold' | 'reason' | 'measures' | 'baseline' | 'evidence' | 'evidenceOmitted'
>;

/** Who asks for a level, how bad it is where that is right, and why. */
export interface Grounds extends Reasoning {
  severity: Rule['severity'];
}

/** The grounds of a rule: its numbers, and the newest steps that it counted. */
export function groundsOf(session: Session, ruling: Ruling): Grounds {
  const { rule, group } = ruling;
  const longestMs = Math.max(...rule.reads.map(({ feature }) => feature.withinMs));
  const steps = group.steps.filter((step) => contributes(step, session, longestMs));
  const measures = finiteOnly(measuresOf(ruling));
  const marks = Math.max(0, ...rule.reads.map(({ feature }) => group.features.get(feature.id)?.size() ?? 0));
  return {
    severity: rule.rule.severity,
    rule: rule.rule.id,
    ...decidingNumbers(ruling),
    reason: rule.explain(ruling.values) + ruling.note,
    measures,
    baseline: baselineOf(ruling),
    evidence: steps.map(evidenceOf),
    evidenceOmitted: Math.max(0, (Number.isFinite(longestMs) ? marks : group.passed) - steps.length),
  };
}

/** Whether a step is still inside the window, or in this life of the session. */
export function contributes(step: Step, session: Session, withinMs: number): boolean {
  return Number.isFinite(withinMs) ? step.atMs > session.clockMs - withinMs : step.atMs >= session.lifeStartMs;
}

/** JSON has no infinities; what is not finite is why a rule failed, and the reason says so. */
export function finiteOnly(numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));
}

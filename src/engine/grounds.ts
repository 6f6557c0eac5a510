import type { Command } from '../domain/command.ts';
import type { Grant, Person } from '../domain/decision.ts';
import type { Finding } from '../domain/finding.ts';
import type { Rule } from '../domain/rule.ts';
import { contributionsOf } from './contributions.ts';
import { baselineOf, cohortOf, decidingNumbers, measuresOf, type Ruling } from './judge.ts';
import { evidenceOf } from './session/evidence-step.ts';
import type { Session } from './session/session.ts';

/** What a change of level rests on besides its grounds. */
export interface Cause {
  triggerEventId: string;
  /** Who acted; what the session remembers of it when absent. */
  actor?: Pick<Command, 'agent' | 'principal' | 'delegation' | 'tenant'>;
  /** The person who decided it. */
  by?: Person;
  decision?: Finding['decision'];
  grant?: Grant;
  /** Of the record that set the timer which caused it; that of the record itself when absent. */
  offset?: number;
}

/** Why: the same in a command and in a finding. */
export type Reasoning = Pick<
  Command,
  'rule' | 'score' | 'threshold' | 'reason' | 'measures' | 'baseline' | 'cohort' | 'evidence' | 'evidenceOmitted'
>;

/** Who asks for a level, how bad it is where that is right, and why. */
export interface Grounds extends Reasoning {
  severity: Rule['severity'];
}

/** The grounds of a rule: its numbers, and the steps that they rest on. */
export function groundsOf(session: Session, ruling: Ruling): Grounds {
  const { rule } = ruling;
  const { steps, omitted } = contributionsOf(session, ruling);
  const cohort = cohortOf(rule, session);
  return {
    severity: rule.rule.severity,
    rule: rule.rule.id,
    ...decidingNumbers(ruling),
    reason: rule.explain(ruling.values) + ruling.note,
    measures: finiteOnly(measuresOf(ruling)),
    baseline: baselineOf(ruling),
    ...(cohort === undefined ? {} : { cohort }),
    evidence: steps.map(evidenceOf),
    evidenceOmitted: omitted,
  };
}

/** JSON has no infinities; what is not finite is why a rule failed, and the reason says so. */
export function finiteOnly(numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));
}

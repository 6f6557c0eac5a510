import type { Grade } from '../../domain/baseline.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { IntentMode } from '../../domain/intent.ts';
import type { Condition } from '../../domain/level.ts';
import type { Session } from '../session/session.ts';
import type { CheckedIntent } from './intent.ts';
import { marksOf } from './marks.ts';
import type { CohortPlan, EvidencePlan } from './plan.ts';
import type { Cause } from './session-evidence.ts';
import { conditionOf } from './thresholds.ts';

/** What the evidence of a session raises at one action, and the intent that speaks for it. */
export interface Accusation {
  plan: EvidencePlan;
  cohort: CohortPlan;
  intent: CheckedIntent;
  cause: Cause;
  /** Capped where certainty is missing. */
  condition: Condition;
  /** What the evidence crossed. */
  crossed: Condition;
  /** Why it is capped; empty where it is not. */
  cap: string;
}

/** The highest of the enforced intents, and of those in the shadow. */
export interface Accusations {
  enforced: Accusation | undefined;
  shadow: Accusation | undefined;
}

/** An action on its way into the evidence of its session. */
export interface Weighed {
  event: ActionEvent;
  /** The event's own time, and as the session counts it: ms. */
  timeMs: number;
  effectiveMs: number;
  /** Time of the log. */
  nowMs: number;
  /** What the partition knows that forbids evidence to kill; empty where nothing does. */
  doubt: string;
}

/**
 * Adds an action to the evidence of its session. Answers what the enforced intents raise, and what those in the shadow
 * would: each the highest of its kind. Intents that are only discovered say nothing.
 */
export function weigh(session: Session, plan: EvidencePlan, weighed: Weighed): Accusations {
  const { event, timeMs, effectiveMs } = weighed;
  const intents = session.intents!;
  const cohort = plan.cohort(intents.cohort);
  const memoryOf = (at: number) => intents.memory(plan.intents[at]!.id);
  const note = (at: number, contribution: number) => {
    const steps = session.group(plan.intents[at]!.id);
    steps.note(event, session.clockMs, timeMs, contribution);
    steps.trimSteps(plan.stepBytes);
  };
  const openings: number[] = [];
  const touches = marksOf(plan.intents, memoryOf, event, cohort.isKnown, (at) => openings.push(at));
  // A stranger adds nothing, and without it nobody would understand the mark that comes after.
  for (const at of openings)
    if (plan.intents[at]!.after!.novel && !touches.some(({ feature }) => feature === at)) note(at, 0);
  const contributions = intents.evidence.observe(cohort.models, effectiveMs, touches);
  if (touches.length === 0) return SILENT;
  for (const [i, { feature }] of touches.entries()) {
    const { before, after } = contributions[i]!;
    note(feature, after - before);
  }
  return {
    enforced: accusationOf(session, plan, cohort, weighed, 'enforce'),
    shadow: accusationOf(session, plan, cohort, weighed, 'shadow'),
  };
}

export const SILENT: Accusations = { enforced: undefined, shadow: undefined };

function accusationOf(
  session: Session,
  plan: EvidencePlan,
  cohort: CohortPlan,
  { nowMs, doubt }: Weighed,
  mode: IntentMode,
): Accusation | undefined {
  const cause = session.intents!.evidence.cause(cohort.models, (at) => plan.intents[at]!.modeAt(nowMs) === mode);
  const crossed = cause && conditionOf(cause.evidence, plan.thresholds, Number.NEGATIVE_INFINITY);
  if (crossed === undefined) return undefined;
  const cap = crossed === 'kill' ? doubt || capOf(session, plan) : '';
  const intent = plan.intents[cause!.feature]!;
  return { plan, cohort, intent, cause: cause!, crossed, cap, condition: cap === '' ? crossed : 'pause' };
}

/** Why evidence may not kill here; empty where it may. */
function capOf(session: Session, { certified: { kill }, onUncertified }: EvidencePlan): string {
  if (session.degraded) return 'a part of the session is unknown';
  if (session.isTooWide) return 'the session has too many principals to be one piece of work';
  if (isCertified(kill.grade) || onUncertified === 'kill') return '';
  const { grade, n, needed } = kill;
  const missing =
    needed === undefined ? 'too few to certify it' : `of the ${needed} that certify it, ${needed - n} are missing`;
  return `the threshold of kill is ${grade}: ${n} benign sessions are ${missing}`;
}

function isCertified(grade: Grade): boolean {
  return grade === 'conformal' || grade === 'conformal-pac';
}

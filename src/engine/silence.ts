import { escalate } from './escalate.ts';
import { SILENT } from './evidence/weigh.ts';
import { judgeExceptedSilence } from './excepted.ts';
import { judge, type Ruling } from './judge.ts';
import type { Outputs } from './outputs.ts';
import type { Plan, RulePlan } from './plan/policy.ts';
import { boundSession } from './session/bound.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import { PART_BYTES, type StepsFeature } from './window/feature.ts';

/**
 * Judges what a session has left undone until its deadline, at the partition's clock: a sequence whose last step is missing
 * is complete although no action says so. The other numbers of the rule are those that the last action left.
 *
 * It pauses at most: what would have come may be on its way, and only a later action of the session proves that it is not.
 */
export function passSilence(session: Session, outputs: Outputs): void {
  const { partition, nowMs } = outputs;
  const { plan } = partition;
  const { awaitedMs } = session;
  if (plan === undefined || awaitedMs > nowMs) return;
  partition.touched(session);
  session.convert(plan);
  const completed = completeOverdue(session, plan, outputs);
  if (completed.size > 0) {
    const rulings = rulingsOn(completed, session, plan, nowMs);
    const occasion = { triggerEventId: lastStepOf(completed), event: undefined };
    outputs.bySilence(awaitedMs, () => escalate(session, rulings, SILENT, occasion, outputs));
  }
  boundSession(session, plan);
  session.noteAwaited();
  partition.schedule(session);
}

function completeOverdue(session: Session, { waiting }: Plan, { partition }: Outputs): Set<StepsFeature> {
  const { clockMs, jumpedMs } = partition.state;
  const silence = { nowMs: session.clockMs, clockMs, jumpedMs };
  const completed = new Set<StepsFeature>();
  for (const { group, feature, deadline } of waiting) {
    const state = session.groups.get(group)?.features.get(feature);
    if (state?.holds !== 'steps') continue;
    const before = state.size();
    if (!state.passSilence(deadline, silence)) continue;
    completed.add(state);
    session.grownBytes += Math.max(0, state.size() - before) * PART_BYTES;
  }
  return completed;
}

/** Of the rules that measure any of it, whatever they measure else. */
function rulingsOn(
  completed: ReadonlySet<StepsFeature>,
  session: Session,
  plan: Plan,
  nowMs: number,
): readonly Ruling[] {
  return [...plan.groups.values()].flatMap(({ id, rules }) => {
    const group = session.groups.get(id);
    if (group === undefined) return [];
    const measured = rules.filter((rule) => nowMs < rule.endsMs && measures(rule, group, session, completed));
    return measured.map((rule) => rulingOn(rule, group, session, nowMs));
  });
}

function measures(
  { reads, uncovered }: RulePlan,
  group: Group,
  session: Session,
  completed: ReadonlySet<StepsFeature>,
): boolean {
  const apart = uncovered && session.groups.get(uncovered.id);
  return [group, apart].some((one) =>
    reads.some(({ feature }) => {
      const state = one?.features.get(feature.id);
      return state?.holds === 'steps' && completed.has(state);
    }),
  );
}

function rulingOn(rule: RulePlan, group: Group, session: Session, nowMs: number): Ruling {
  const { uncovered } = rule;
  const ruling =
    uncovered === undefined
      ? judge(rule, group, session)
      : judgeExceptedSilence(rule, uncovered, group, session, nowMs);
  ruling.note += ' (by its deadline: nothing came)';
  return ruling;
}

/** Of all sequences that are complete; empty where their steps were too many to keep. */
function lastStepOf(completed: ReadonlySet<StepsFeature>): string {
  const steps = [...completed].flatMap((state) => state.completed().steps);
  return steps.sort((a, b) => a.atMs - b.atMs).at(-1)?.eventId ?? '';
}

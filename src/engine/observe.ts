import type { ActionEvent } from '../domain/event.ts';
import { fingerprint } from './fingerprint.ts';
import type { FeaturePlan, GroupPlan } from './plan/policy.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import type { Feature, Standing } from './window/feature.ts';
import { PARTS_PER_WINDOW } from './window/sliding-sum.ts';

/**
 * Takes an action that passed the group's filter into the features of the group.
 *
 * A retry adds nothing to what its failed call already counted for, which is asked per filter: under `outcome: ok`
 * the failed call did not count, so its repetition must.
 */
export function observe(
  session: Session,
  plan: GroupPlan,
  event: ActionEvent,
  timeMs: number,
  failedBefore: 'error' | 'denied' | undefined,
): Group {
  const group = session.group(plan.id);
  const countedBefore = failedBefore !== undefined && plan.test({ ...event, outcome: failedBefore });
  const movedByMs = session.clockMs - timeMs;
  let contribution = 0;
  for (const [index, feature] of plan.features.entries()) {
    if (countedBefore && feature.kind !== 'attempts') continue;
    const standing: Standing = movedByMs > feature.withinMs / PARTS_PER_WINDOW ? 'moved' : 'placed';
    const added = add(stateOf(group, feature), feature, event, session.clockMs, standing);
    if (index === 0) contribution = added;
  }
  group.note(event, session.clockMs, timeMs, contribution);
  return group;
}

function stateOf(group: Group, plan: FeaturePlan): Feature {
  let state = group.features.get(plan.id);
  if (!state) {
    state = plan.create();
    group.features.set(plan.id, state);
  }
  return state;
}

function add(state: Feature, plan: FeaturePlan, event: ActionEvent, nowMs: number, standing: Standing): number {
  if (plan.reading.kind === 'weight' && state.holds === 'weights') {
    const weight = plan.reading.read(event);
    if (weight > 0) state.add(nowMs, weight, standing);
    return weight;
  }
  if (plan.reading.kind === 'values' && state.holds === 'values') {
    const values = plan.reading.read(event);
    for (const value of values) state.add(nowMs, fingerprint(value), standing);
    return values.length;
  }
  throw new Error(`feature ${plan.id} holds ${state.holds} and reads a ${plan.reading.kind}`);
}

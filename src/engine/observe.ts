import type { ActionEvent } from '../domain/event.ts';
import { fingerprint } from './fingerprint.ts';
import type { FeaturePlan, GroupPlan } from './plan/policy.ts';
import { type Call, FAILED_CALL_BYTES } from './session/failed-calls.ts';
import type { Group } from './session/group.ts';
import type { Session } from './session/session.ts';
import { type Feature, PART_BYTES, type Standing } from './window/feature.ts';

/** An action on its way into the state of its session. */
export interface Observed {
  event: ActionEvent;
  /** The event's own time, ms. */
  timeMs: number;
  /** Partition clock at its arrival. */
  clockMs: number;
  call: Call | undefined;
}

/**
 * Takes an action that passed the group's filter into the features of the group. What it shows as its contribution is
 * what the first measure takes of it whose own filter it passes; a step that no measure takes explains nothing.
 */
export function observe(session: Session, plan: GroupPlan, observed: Observed): Group {
  const group = session.group(plan.id);
  const { event, timeMs } = observed;
  const movedByMs = session.clockMs - timeMs;
  const states = group.featuresOf(plan.features);
  let contribution: number | undefined;
  for (let i = 0; i < plan.features.length; i++) {
    const feature = plan.features[i]!;
    if (feature.test !== undefined && !feature.test(event)) continue;
    const standing: Standing = movedByMs > feature.movedMs ? 'moved' : 'placed';
    const state = states[i]!;
    const before = state.size();
    const added = add(session, group, state, feature, observed, standing);
    if (feature.kind !== 'all') contribution ??= added;
    const grown = state.size() - before;
    if (grown > 0) session.grownBytes += grown * PART_BYTES;
  }
  if (contribution !== undefined) {
    group.note(event, session.clockMs, timeMs, contribution);
    group.trimSteps(plan.stepBytes);
  }
  return group;
}

/** Answers how much was added; undefined for an action that is no step of a sequence. */
function add(
  session: Session,
  group: Group,
  state: Feature,
  plan: FeaturePlan,
  { event, timeMs, clockMs, call }: Observed,
  standing: Standing,
): number | undefined {
  const nowMs = session.clockMs;
  if (plan.reading.kind === 'weight' && state.holds === 'weights') {
    const all = plan.reading.read(event);
    const before = plan.reading.retries === 'once' ? retried(session, group, plan, call, all) : undefined;
    const weight = before === undefined ? all : Math.max(0, all - before);
    if (weight > 0) state.add(nowMs, weight, standing);
    return weight;
  }
  if (plan.reading.kind === 'number' && state.holds === 'numbers') {
    const number = plan.reading.read(event);
    if (number === undefined) return 0;
    const before = plan.reading.retries === 'once' ? retried(session, group, plan, call, number) : undefined;
    if (before === undefined || number > before) state.add(nowMs, number, standing);
    return number;
  }
  if (plan.reading.kind === 'values' && state.holds === 'values') {
    const values = plan.reading.read(event);
    for (const value of values) state.add(nowMs, fingerprint(value), standing);
    return values.length;
  }
  if (plan.reading.kind === 'steps' && state.holds === 'steps') {
    return state.take(plan.reading.plan, event, { nowMs, timeMs, clockMs }) ? 1 : undefined;
  }
  throw new Error(`feature ${plan.id} holds ${state.holds} and reads a ${plan.reading.kind}`);
}

/** What the failed call that this one repeats has added, undefined when it is no retry. */
function retried(
  session: Session,
  group: Group,
  plan: FeaturePlan,
  call: Call | undefined,
  weight: number,
): number | undefined {
  if (call === undefined || (!call.failed && group.failedCalls.size === 0)) return undefined;
  if (call.failed) session.grownBytes += FAILED_CALL_BYTES;
  return group.failedCallsOf(plan.id).retried(call, weight, session.clockMs, plan.withinMs);
}

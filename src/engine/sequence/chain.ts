import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { Step } from '../session/evidence-step.ts';
import { type Stage, type Steps, type StepsPlan, UNTIL } from './plan.ts';

/** So many of its steps, the newest, are kept with whatever is unfinished. */
const SHOWN_MAX = 8;

/** A stage that was reached: by an action at `lastMs`, in something that began at `startMs`. Immutable. */
export interface Candidate {
  startMs: number;
  lastMs: number;
  steps: readonly Step[];
}

/**
 * What of one sequence is unfinished, of actions with the same captured values: one candidate for each stage, the latest.
 *
 * The latest is enough. Of two candidates of a stage the later one has the later `lastMs`, and its `startMs` is not
 * earlier, because it was made from the later candidate of the stage before. So whatever the earlier one could still
 * become within `maxspan` and `within`, the later one can too; what forbids the later one by standing between, forbids
 * the earlier one as well. (`temporal`: the stages of a step hold its latest actions, which the same is true of.)
 */
export interface Chain {
  stages: (Candidate | undefined)[];
  /** All stages are done, and what must not come has not come yet. The first one; others that would wait are part of it. */
  wait: Wait | undefined;
}

/** Immutable. It is over at the first of two times. */
export interface Wait {
  /** Session clock: an action says that it was silent till then. */
  dueMs: number;
  /** Partition clock: nothing that would end it has reached the log till then. */
  deadlineMs: number;
  steps: readonly Step[];
}

export function emptyChain(stages: number): Chain {
  return { stages: Array.from({ length: stages }, () => undefined), wait: undefined };
}

export function copyOf({ stages, wait }: Chain): Chain {
  return { stages: [...stages], wait };
}

/** Nothing of it can be continued any more. */
export function isOver({ stages, wait }: Chain, plan: StepsPlan, nowMs: number): boolean {
  return wait === undefined && stages.every((one) => one === undefined || isTooOld(one, plan, nowMs));
}

/** Ends what `seen` forbids. */
export function cancel(chain: Chain, plan: StepsPlan, seen: Steps): void {
  if ((seen & UNTIL) !== 0) {
    chain.stages.fill(undefined);
    chain.wait = undefined;
  }
  plan.stages.forEach(({ unless }, at) => {
    if ((seen & unless) !== 0) chain.stages[at - 1] = undefined;
  });
  if (plan.deadline !== undefined && (seen & plan.deadline.unless) !== 0) chain.wait = undefined;
}

/** Takes an action as whatever steps it is. Answers all steps that it completed, in order. */
export function advance(
  chain: Chain,
  plan: StepsPlan,
  seen: Steps,
  nowMs: number,
  step: Step,
): readonly Step[] | undefined {
  return plan.order === 'sequence'
    ? advanceInOrder(chain, plan, seen, nowMs, step)
    : advanceInAnyOrder(chain, plan, seen, nowMs, step);
}

/** From the last stage to the first: one action takes one stage of the same candidate. */
function advanceInOrder(
  { stages }: Chain,
  plan: StepsPlan,
  seen: Steps,
  nowMs: number,
  step: Step,
): readonly Step[] | undefined {
  let completed: readonly Step[] | undefined;
  const last = plan.stages.length - 1;
  for (let at = last; at >= 0; at--) {
    const stage = plan.stages[at]!;
    if ((seen & stage.step) === 0) continue;
    const before = at === 0 ? { startMs: nowMs, lastMs: nowMs, steps: [] } : stages[at - 1];
    if (before === undefined || !isContinued(before, plan, stage, nowMs)) continue;
    const steps = [...before.steps, step].slice(-SHOWN_MAX);
    if (at === last) completed = steps;
    else stages[at] = { startMs: before.startMs, lastMs: nowMs, steps };
  }
  return completed;
}

function isContinued(before: Candidate, plan: StepsPlan, { gapMs }: Stage, nowMs: number): boolean {
  return !isTooOld(before, plan, nowMs) && nowMs - before.lastMs < gapMs;
}

/** The stages of one step hold its latest actions, the oldest first. One action may be several steps. */
function advanceInAnyOrder(
  { stages }: Chain,
  plan: StepsPlan,
  seen: Steps,
  nowMs: number,
  step: Step,
): readonly Step[] | undefined {
  const own: Candidate = { startMs: nowMs, lastMs: nowMs, steps: [step] };
  plan.stages.forEach((stage, at) => {
    if ((seen & stage.step) === 0) return;
    const isLastRun = plan.stages[at + 1]?.step !== stage.step;
    stages[at] = isLastRun ? own : stages[at + 1];
  });
  if (stages.some((one) => one === undefined || isTooOld(one, plan, nowMs))) return undefined;
  const steps = new Set(stages.flatMap((one) => one!.steps));
  return [...steps].sort((a, b) => a.atMs - b.atMs).slice(-SHOWN_MAX);
}

function isTooOld({ startMs }: Candidate, { maxspanMs }: StepsPlan, nowMs: number): boolean {
  return nowMs - startMs >= maxspanMs;
}

/** What can be continued in either can be continued in the result, as if both were of the same captured values. */
export function merged(a: Chain, b: Chain): Chain {
  const stages = a.stages.map((one, at) => {
    const other = b.stages[at];
    if (one === undefined || other === undefined) return one ?? other;
    const later = other.lastMs > one.lastMs ? other : one;
    return { ...later, startMs: Math.max(one.startMs, other.startMs) };
  });
  return { stages, wait: undefined };
}

/** Steps are written as places in `table`. */
export function writeChain(to: ByteWriter, { stages, wait }: Chain, table: ReadonlyMap<Step, number>): void {
  for (const candidate of stages) {
    to.flag(candidate !== undefined);
    if (candidate === undefined) continue;
    to.count(candidate.startMs);
    to.count(candidate.lastMs - candidate.startMs);
    writeSteps(to, candidate.steps, table);
  }
  to.flag(wait !== undefined);
  if (wait === undefined) return;
  to.count(wait.dueMs);
  to.count(wait.deadlineMs);
  writeSteps(to, wait.steps, table);
}

export function readChain(from: ByteReader, stageCount: number, table: readonly Step[]): Chain {
  const chain = emptyChain(stageCount);
  for (let at = 0; at < stageCount; at++) {
    if (!from.flag()) continue;
    const startMs = from.count();
    chain.stages[at] = { startMs, lastMs: startMs + from.count(), steps: readSteps(from, table) };
  }
  if (from.flag()) chain.wait = { dueMs: from.count(), deadlineMs: from.count(), steps: readSteps(from, table) };
  return chain;
}

export function writeSteps(to: ByteWriter, steps: readonly Step[], table: ReadonlyMap<Step, number>): void {
  to.count(steps.length);
  for (const step of steps) to.count(table.get(step)!);
}

export function readSteps(from: ByteReader, table: readonly Step[]): Step[] {
  return Array.from({ length: from.length() }, () => {
    const step = table[from.count()];
    if (step === undefined) throw new RangeError('a step that is not in the table');
    return step;
  });
}

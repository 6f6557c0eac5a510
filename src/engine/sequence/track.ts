import { SEQUENCE_RUNS_MAX } from '../../domain/sequence.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { readStep, type Step, writeStep } from '../session/evidence-step.ts';
import { NEVER } from '../standing/pause.ts';
import { type Arrival, PART_BYTES, type Silence } from '../window/feature.ts';
import { LifetimeSum } from '../window/lifetime.ts';
import { SlidingSum } from '../window/sliding-sum.ts';
import {
  advance,
  type Chain,
  cancel,
  copyOf,
  emptyChain,
  isOver,
  merged,
  readChain,
  readSteps,
  type Wait,
  writeChain,
  writeSteps,
} from './chain.ts';
import { type Deadline, NONE, type Steps, type StepsPlan } from './plan.ts';

/** So many different captured values are told apart while something of theirs is unfinished. */
export const KEYS_MAX = 16;
/** What the steps kept for explanations may take. */
const KEPT_BYTES = 4096;

/**
 * What is unfinished and what was completed, of one measure.
 *
 * At most KEYS_MAX captured values at once. One more makes the value that was touched longest ago one of the `others`:
 * what is unfinished of them stands together, and whatever value comes next and is not held may continue it. `until`
 * and `missing` end nothing there, and what waits for a deadline counts at once. So the bound errs towards seeing more,
 * but for one thing: what counted before its deadline leaves a sliding window as much earlier.
 */
export class Track {
  readonly #withinMs: number;
  /** Chains by captured value, the one that was touched longest ago first. */
  #chains = new Map<number, Chain>();
  #others: Chain | undefined;
  /** How often a sequence was completed. */
  #completions: SlidingSum | LifetimeSum;
  /** Waits that a bound took away: they count at the next record. */
  #owed = 0;
  #completed: { steps: readonly Step[]; count: number } = { steps: [], count: 0 };
  /** At least the bytes of all kept steps. Counted up as steps come, and anew when there are too many. */
  #keptBytes = 0;
  #stageCount = 0;

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
    this.#completions = Number.isFinite(withinMs) ? new SlidingSum(withinMs) : new LifetimeSum();
  }

  get completed(): { steps: readonly Step[]; count: number } {
    return this.#completed;
  }

  /** Time has passed, by an action that is no step: what waited long enough is completed. */
  pass(nowMs: number): void {
    let over = 0;
    for (const chain of this.#chains.values()) {
      if (chain.wait === undefined || chain.wait.dueMs > nowMs) continue;
      this.#endWait(chain, chain.wait);
      over++;
    }
    this.#complete(nowMs, nowMs, over + this.#takeOwed());
  }

  /** Partition clock at which the first wait is over, 0 where one is owed; NEVER without any. */
  get deadlineMs(): number {
    if (this.#owed > 0) return 0;
    let firstMs = NEVER;
    for (const { wait } of this.#chains.values()) {
      if (wait !== undefined && wait.deadlineMs < firstMs) firstMs = wait.deadlineMs;
    }
    return firstMs;
  }

  /** What would be over by the partition's clock, and over which that clock jumped, begins its time anew at the jump. */
  waitAnew({ withinMs }: Deadline, { clockMs, jumpedMs }: Silence): void {
    for (const chain of this.#chains.values()) {
      const { wait } = chain;
      if (wait === undefined || wait.deadlineMs > clockMs || wait.deadlineMs - withinMs >= jumpedMs) continue;
      chain.wait = { ...wait, deadlineMs: jumpedMs + withinMs };
    }
  }

  /**
   * Completes the waits that are over by the partition's clock. Their marks stand where the session's clock would have
   * passed them: ahead of it, so that they are in the window no shorter than if an action had said so.
   */
  completeOverdue({ nowMs, clockMs }: Silence): void {
    const due = [...this.#chains.values()].filter(({ wait }) => wait !== undefined && wait.deadlineMs <= clockMs);
    due.sort((a, b) => a.wait!.dueMs - b.wait!.dueMs);
    this.#complete(nowMs, nowMs, this.#takeOwed());
    for (const chain of due) {
      const { dueMs } = chain.wait!;
      this.#endWait(chain, chain.wait!);
      this.#complete(Math.max(dueMs, nowMs), nowMs, 1);
    }
  }

  /** Whether an action begins, continues or ends anything. Most that match a later step find nothing begun. */
  heeds(plan: StepsPlan, seen: Steps, key: number): boolean {
    return (seen & plan.beginning) !== 0 || this.#others !== undefined || this.#chains.has(key);
  }

  /** One action: which steps it is (`seen`), and of which captured value. */
  take(plan: StepsPlan, seen: Steps, key: number, { nowMs, clockMs }: Arrival, step: Step): void {
    this.#stageCount = plan.stages.length;
    if (plan.deadline !== undefined) this.pass(nowMs);
    const chain = seen === NONE ? undefined : this.#open(plan, seen, key, nowMs);
    if (chain === undefined) return;
    cancel(chain, plan, seen);
    if ((seen & plan.taking) !== 0) {
      this.#keptBytes += step.bytes;
      const steps = advance(chain, plan, seen, nowMs, step);
      if (steps !== undefined && plan.deadline !== undefined) {
        const { withinMs } = plan.deadline;
        chain.wait ??= { dueMs: nowMs + withinMs, deadlineMs: clockMs + withinMs, steps };
      } else if (steps !== undefined) {
        this.#completions.add(nowMs, 1, 'placed');
        this.#completed = { steps, count: plan.stages.length };
      }
    }
    if (this.#others === undefined && isOver(chain, plan, nowMs)) this.#chains.delete(key);
    if (this.#keptBytes > KEPT_BYTES) this.#forgetSteps(KEPT_BYTES / 2);
  }

  total(nowMs: number): number {
    return this.#completions.total(nowMs);
  }

  isIdle(plan: StepsPlan, nowMs: number): boolean {
    const over = (chain: Chain) => isOver(chain, plan, nowMs);
    return this.#owed === 0 && this.total(nowMs) === 0 && this.#all().every(over);
  }

  endLife(): void {
    if (Number.isFinite(this.#withinMs)) return;
    this.#chains.clear();
    this.#others = undefined;
    this.#owed = 0;
    this.#completed = { steps: [], count: 0 };
    this.#keptBytes = 0;
    this.#completions.endLife();
  }

  /** Stored parts, of PART_BYTES each at most. */
  size(): number {
    const chains = this.#chains.size + (this.#others === undefined ? 0 : 1);
    return chains * (2 + this.#stageCount) + Math.ceil(this.#keptBytes / PART_BYTES) + this.#completions.size();
  }

  /** Half of the captured values become others, half of the steps are forgotten. Errs towards seeing more. */
  coarsen(): void {
    for (let half = this.#chains.size >> 1; half > 0; half--) this.#evictOldest();
    this.#forgetSteps(this.#keptBytes / 2);
    this.#completions.coarsen();
  }

  #endWait(chain: Chain, { steps }: Wait): void {
    this.#completed = { steps, count: this.#stageCount };
    chain.wait = undefined;
  }

  #takeOwed(): number {
    const owed = this.#owed;
    this.#owed = 0;
    return owed;
  }

  /** Never behind a mark that stands ahead of the session's clock. */
  #complete(atMs: number, nowMs: number, count: number): void {
    if (count === 0) return;
    const sum = this.#completions;
    if (sum instanceof SlidingSum) sum.addAt(Math.max(atMs, sum.lastMs), nowMs, count, 'placed');
    else sum.add(nowMs, count);
  }

  #open(plan: StepsPlan, seen: Steps, key: number, nowMs: number): Chain | undefined {
    let chain = this.#chains.get(key);
    if (chain !== undefined) this.#chains.delete(key);
    else {
      if (this.#others !== undefined && isOver(this.#others, plan, nowMs)) this.#others = undefined;
      if (this.#others === undefined && (seen & plan.beginning) === 0) return undefined;
      if (this.#chains.size >= KEYS_MAX) this.#makeRoom(plan, nowMs);
      chain = this.#others === undefined ? emptyChain(plan.stages.length) : copyOf(this.#others);
    }
    this.#chains.set(key, chain);
    return chain;
  }

  #makeRoom(plan: StepsPlan, nowMs: number): void {
    for (const [key, chain] of this.#chains) if (isOver(chain, plan, nowMs)) this.#chains.delete(key);
    if (this.#chains.size >= KEYS_MAX) this.#evictOldest();
  }

  #evictOldest(): void {
    const [key, chain] = this.#chains.entries().next().value!;
    this.#chains.delete(key);
    if (chain.wait !== undefined) this.#owed++;
    this.#others = merged(this.#others ?? emptyChain(chain.stages.length), chain);
  }

  /** Forgets the oldest steps until those that are left take no more than `bytes`. */
  #forgetSteps(bytes: number): void {
    const kept = this.#keptSteps();
    let taken = 0;
    const from = kept.findLastIndex(({ bytes: own }) => {
      taken += own;
      return taken > bytes;
    });
    const forgotten = new Set(kept.splice(0, from + 1));
    this.#keptBytes = kept.reduce((sum, step) => sum + step.bytes, 0);
    if (forgotten.size === 0) return;
    const left = (steps: readonly Step[]) => steps.filter((step) => !forgotten.has(step));
    for (const chain of this.#all()) {
      chain.stages = chain.stages.map((one) => one && { ...one, steps: left(one.steps) });
      if (chain.wait !== undefined) chain.wait = { ...chain.wait, steps: left(chain.wait.steps) };
    }
    this.#completed = { ...this.#completed, steps: left(this.#completed.steps) };
  }

  #all(): Chain[] {
    return [...this.#chains.values(), ...(this.#others === undefined ? [] : [this.#others])];
  }

  /** Every step that something holds, once, by its time. */
  #keptSteps(): Step[] {
    const held = this.#all().flatMap(({ stages, wait }) => [
      ...stages.flatMap((one) => one?.steps ?? []),
      ...(wait?.steps ?? []),
    ]);
    return [...new Set([...held, ...this.#completed.steps])].sort((a, b) => a.atMs - b.atMs);
  }

  write(to: ByteWriter): void {
    const kept = this.#keptSteps();
    to.count(kept.length);
    for (const [at, step] of kept.entries()) writeStep(to, step, kept[at - 1]?.atMs ?? 0);
    const table = new Map(kept.map((step, at) => [step, at]));
    to.count(this.#keptBytes);
    to.count(this.#stageCount);
    to.count(this.#chains.size);
    for (const [key, chain] of this.#chains) {
      to.count(key);
      writeChain(to, chain, table);
    }
    to.flag(this.#others !== undefined);
    if (this.#others !== undefined) writeChain(to, this.#others, table);
    to.count(this.#owed);
    to.count(this.#completed.count);
    writeSteps(to, this.#completed.steps, table);
    this.#completions.write(to);
  }

  static read(from: ByteReader, withinMs: number): Track {
    const track = new Track(withinMs);
    const table: Step[] = [];
    for (let left = from.length(); left > 0; left--) table.push(readStep(from, table.at(-1)?.atMs ?? 0));
    track.#keptBytes = from.count();
    track.#stageCount = from.count();
    if (track.#stageCount > SEQUENCE_RUNS_MAX) throw new RangeError('more stages than a sequence may have');
    for (let left = from.length(); left > 0; left--) {
      track.#chains.set(from.count(), readChain(from, track.#stageCount, table));
    }
    if (from.flag()) track.#others = readChain(from, track.#stageCount, table);
    track.#owed = from.count();
    track.#completed = { count: from.count(), steps: readSteps(from, table) };
    track.#completions = Number.isFinite(withinMs) ? SlidingSum.read(from, withinMs) : LifetimeSum.read(from);
    return track;
  }
}

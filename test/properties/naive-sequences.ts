import type { ActionEvent } from '../../src/domain/event.ts';
import { type Judged, passes, type Which } from './naive-measures.ts';

export type NaiveMatch = Record<string, string | string[]>;

/** A `sequence` or `temporal` measure, lengths in ms. */
export interface NaiveSequence {
  order: 'sequence' | 'temporal';
  steps: {
    match?: NaiveMatch;
    missing?: NaiveMatch;
    runs?: number | undefined;
    withinMs?: number | undefined;
  }[];
  same: 'resource.id' | 'tool' | undefined;
  maxspanMs: number;
  until?: NaiveMatch | undefined;
}

/** As an author writes it. */
export function writtenSequence({ order, steps, same, maxspanMs, until }: NaiveSequence): Record<string, unknown> {
  return {
    [order]: steps.map(({ withinMs, ...step }) => ({ ...step, ...lengthOf('within', withinMs) })),
    ...lengthOf('maxspan', maxspanMs),
    ...(same === undefined ? {} : { same }),
    ...(until === undefined ? {} : { until }),
  };
}

function lengthOf(name: string, ms: number | undefined): Record<string, string> {
  return ms === undefined || !Number.isFinite(ms) ? {} : { [name]: `${ms}ms` };
}

/** A record of the log, of whatever kind: the clock of the partition stands there. It comes before the action that it is. */
export interface Look {
  offset: number;
  clockMs: number;
  /** Partition clock when it jumped last. */
  jumpedMs: number;
  /** Session clock. */
  nowMs: number;
}

export interface Completion {
  /** Offset of the record at which it was known. */
  offset: number;
  /** Where in the window it stands, and in which life. */
  atMs: number;
  life: number;
  count: number;
}

/**
 * When a sequence is completed, and how often, worked out from the definition: every choice of actions for the steps is
 * tried, of all the actions there were. `events`: what the rule's filter let pass, in order. `looks`: the records of the
 * log, where what is missing may be noticed too.
 */
export function completionsOf(
  sequence: NaiveSequence,
  events: readonly Judged[],
  withinMs: number,
  which: Which,
  looks: readonly Look[],
): Completion[] {
  const lives = livesOf(events, withinMs);
  return lives.flatMap((life) => {
    const story = new Story(sequence, life, withinMs, which);
    if (sequence.order === 'temporal') return life.filter((_, e) => story.isComplete(e)).map(once);
    return isMissing(sequence)
      ? story.missed(looksIn(life, events, looks)).completions
      : life.filter((_, e) => story.isLastOf(story.runs.length - 1, e)).map(once);
  });
}

/** Partition clocks at which what waits now is complete if nothing comes. */
export function deadlinesOf(
  sequence: NaiveSequence,
  events: readonly Judged[],
  withinMs: number,
  looks: readonly Look[],
): number[] {
  const life = livesOf(events, withinMs).at(-1) ?? [];
  if (!isMissing(sequence)) return [];
  return new Story(sequence, life, withinMs, 'all').missed(looksIn(life, events, looks)).deadlines;
}

export function isMissing({ steps }: NaiveSequence): boolean {
  return steps.at(-1)!.missing !== undefined;
}

const once = ({ offset, atMs, life }: Judged): Completion => ({ offset, atMs, life, count: 1 });

function livesOf(events: readonly Judged[], withinMs: number): (readonly Judged[])[] {
  return Number.isFinite(withinMs) ? [events] : splitByLife(events);
}

/** Up to the first action of the next life. */
function looksIn(life: readonly Judged[], events: readonly Judged[], looks: readonly Look[]): Look[] {
  const next = events[events.indexOf(life.at(-1)!) + 1];
  return looks.filter(({ offset }) => next === undefined || offset <= next.offset);
}

/** One run of a step: the steps with `runs` stand several times. */
interface Run {
  match: NaiveMatch;
  withinMs: number;
  /** What may not come between the run before and this one. */
  missing: NaiveMatch[];
}

class Story {
  readonly runs: Run[] = [];
  readonly #sequence: NaiveSequence;
  readonly #events: readonly Judged[];
  readonly #isPlaced: (one: Judged) => boolean;
  readonly #which: Which;

  constructor(sequence: NaiveSequence, events: readonly Judged[], withinMs: number, which: Which) {
    this.#sequence = sequence;
    this.#events = events;
    this.#which = which;
    const spanMs = Math.min(sequence.maxspanMs, withinMs);
    const toleranceMs = sequence.order === 'sequence' ? 0 : spanMs / 60;
    this.#isPlaced = (one) => one.atMs - one.timeMs <= toleranceMs;
    let missing: NaiveMatch[] = [];
    for (const step of sequence.steps) {
      if (step.missing) missing = [...missing, step.missing];
      for (let run = 0; step.match && run < (step.runs ?? 1); run++) {
        const withinMs = step.withinMs ?? Number.POSITIVE_INFINITY;
        this.runs.push({ match: step.match, withinMs, missing: run === 0 ? missing : [] });
        missing = [];
      }
    }
  }

  /** `temporal`: whether `e` is a step, and with it enough of all steps lie in the last `maxspan`. */
  isComplete(e: number): boolean {
    const now = this.#events[e]!;
    const isStepHere = (run: Run) => this.#takes(run.match, e);
    return (
      this.runs.some(isStepHere) &&
      this.#sequence.steps.every(({ match, runs = 1 }) => {
        const used = this.#events.filter(
          (one, i) =>
            i <= e &&
            now.atMs - one.atMs < this.#sequence.maxspanMs &&
            this.#takes(match!, i) &&
            this.#isSame(i, e) &&
            !this.#isEnded(i, e),
        );
        return used.length >= runs;
      })
    );
  }

  /** Whether `e` can be the action of run `r` with actions for all runs before it. */
  isLastOf(r: number, e: number): boolean {
    return this.#starts(r, e).some((startMs) => this.#events[e]!.atMs - startMs < this.#sequence.maxspanMs);
  }

  /** Times of the first actions of every choice that ends with `e` as run `r`. */
  #starts(r: number, e: number): number[] {
    const run = this.runs[r]!;
    if (!this.#takes(run.match, e)) return [];
    if (r === 0) return [this.#events[e]!.atMs];
    return this.#events.flatMap((before, b) => {
      if (b >= e || !this.#isSame(b, e) || this.#isEnded(b, e)) return [];
      if (this.#events[e]!.atMs - before.atMs >= run.withinMs) return [];
      if (run.missing.some((match) => this.#comesBetween(match, b, e))) return [];
      return this.#starts(r - 1, b);
    });
  }

  /**
   * A last step that is missing: waits that ended without it, noticed at the first action afterwards by the session's
   * clock, or, but for a kill, at the first record afterwards by the partition's clock.
   */
  missed(looks: readonly Look[]): { completions: Completion[]; deadlines: number[] } {
    const { steps } = this.#sequence;
    const last = steps.findLastIndex(({ match }) => match !== undefined);
    const missing = steps.slice(last + 1).map((step) => step.missing!);
    const withinMs = steps.at(-1)!.withinMs!;
    const noticed: (Completion & { dueMs: number })[] = [];
    const deadlines: number[] = [];
    const silent = this.#which === 'all' ? looks : [];
    for (const key of new Set(this.#events.map((one) => this.#keyOf(one.event)))) {
      let since: number | undefined;
      let deadlineMs = Number.POSITIVE_INFINITY;
      let looked = 0;
      const lookUntil = (offset: number) => {
        for (; looked < silent.length && silent[looked]!.offset <= offset; looked++) {
          const { clockMs, jumpedMs, nowMs, offset: at } = silent[looked]!;
          if (since === undefined || at <= this.#events[since]!.offset || deadlineMs > clockMs) continue;
          if (deadlineMs - withinMs < jumpedMs) deadlineMs = jumpedMs + withinMs;
          if (deadlineMs > clockMs) continue;
          const dueMs = this.#events[since]!.atMs + withinMs;
          noticed.push({ offset: at, atMs: Math.max(dueMs, nowMs), life: this.#events[since]!.life, count: 1, dueMs });
          since = undefined;
        }
      };
      for (const [e, one] of this.#events.entries()) {
        lookUntil(one.offset);
        if (since !== undefined && one.atMs - this.#events[since]!.atMs >= withinMs) {
          noticed.push({ ...once(one), dueMs: one.atMs });
          since = undefined;
        }
        if (key === undefined || this.#keyOf(one.event) !== key) continue;
        const ended = since !== undefined && (this.#isEnded(since, e) || missing.some((m) => this.#ends(m, e)));
        if (ended) since = undefined;
        if (since === undefined && this.isLastOf(this.runs.length - 1, e)) {
          since = e;
          deadlineMs = one.clockMs + withinMs;
        }
      }
      lookUntil(Number.POSITIVE_INFINITY);
      if (since !== undefined) deadlines.push(deadlineMs);
    }
    noticed.sort((a, b) => a.offset - b.offset || a.dueMs - b.dueMs);
    // What silence completes may stand ahead of the session's clock; what is noticed later stands no earlier.
    let lastMs = 0;
    const completions = noticed.map(({ offset, atMs, life, count }) => {
      lastMs = Math.max(lastMs, atMs);
      return { offset, atMs: lastMs, life, count };
    });
    return { completions, deadlines };
  }

  #takes(match: NaiveMatch, e: number): boolean {
    const one = this.#events[e]!;
    if (this.#which === 'placed' && !this.#isPlaced(one)) return false;
    return this.#keyOf(one.event) !== undefined && passes({ match }, one.event);
  }

  /** What is out of its place ends nothing that could still be paused for. */
  #ends(match: NaiveMatch, e: number): boolean {
    const one = this.#events[e]!;
    return (this.#which === 'placed' || this.#isPlaced(one)) && passes({ match }, one.event);
  }

  /** After `b`, and at `e` at the latest. */
  #comesBetween(match: NaiveMatch, b: number, e: number): boolean {
    return this.#events.some((_, i) => i > b && i <= e && this.#isSame(i, e) && this.#ends(match, i));
  }

  #isEnded(b: number, e: number): boolean {
    return this.#sequence.until !== undefined && this.#comesBetween(this.#sequence.until, b, e);
  }

  #isSame(a: number, b: number): boolean {
    return this.#keyOf(this.#events[a]!.event) === this.#keyOf(this.#events[b]!.event);
  }

  #keyOf(event: ActionEvent): string | undefined {
    if (this.#sequence.same === 'tool') return event.tool;
    return this.#sequence.same === undefined ? '' : event.resource?.id;
  }
}

function splitByLife(events: readonly Judged[]): Judged[][] {
  return [...new Set(events.map(({ life }) => life))].map((life) => events.filter((one) => one.life === life));
}

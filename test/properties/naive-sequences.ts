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

/**
 * The actions at which a sequence is completed, and how many at each, worked out from the definition: every choice of
 * actions for the steps is tried, of all the actions there were. `events`: what the rule's filter let pass, in order.
 */
export function completionsOf(
  sequence: NaiveSequence,
  events: readonly Judged[],
  withinMs: number,
  which: Which,
): { at: Judged; count: number }[] {
  const lives = Number.isFinite(withinMs) ? [events] : splitByLife(events);
  return lives.flatMap((life) => {
    const story = new Story(sequence, life, withinMs, which);
    if (sequence.order === 'temporal') return life.filter((_, e) => story.isComplete(e)).map(once);
    return sequence.steps.at(-1)!.missing === undefined
      ? life.filter((_, e) => story.isLastOf(story.runs.length - 1, e)).map(once)
      : story.missed();
  });
}

const once = (at: Judged) => ({ at, count: 1 });

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

  /** A last step that is missing: waits that ended without it, noticed at the first action afterwards. */
  missed(): { at: Judged; count: number }[] {
    const { steps } = this.#sequence;
    const last = steps.findLastIndex(({ match }) => match !== undefined);
    const missing = steps.slice(last + 1).map((step) => step.missing!);
    const withinMs = steps.at(-1)!.withinMs!;
    const counts = new Map<Judged, number>();
    for (const key of new Set(this.#events.map((one) => this.#keyOf(one.event)))) {
      let since: number | undefined;
      for (const [e, one] of this.#events.entries()) {
        if (since !== undefined && one.atMs - this.#events[since]!.atMs >= withinMs) {
          counts.set(one, (counts.get(one) ?? 0) + 1);
          since = undefined;
        }
        if (key === undefined || this.#keyOf(one.event) !== key) continue;
        const ended = since !== undefined && (this.#isEnded(since, e) || missing.some((m) => this.#ends(m, e)));
        if (ended) since = undefined;
        if (since === undefined && this.isLastOf(this.runs.length - 1, e)) since = e;
      }
    }
    return [...counts].map(([at, count]) => ({ at, count }));
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

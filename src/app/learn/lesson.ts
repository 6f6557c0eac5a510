import type { Baseline } from '../../domain/baseline.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { parseInstant } from '../../domain/instant.ts';
import type { PolicySettings } from '../../domain/rule.ts';
import type { CheckedIntent } from '../../engine/evidence/intent.ts';
import { cohortKeys } from '../../engine/evidence/plan.ts';

/** One finished life of a benign session as learning sees it: what its intents look at, and when the rest happened. */
export interface Lesson {
  session: string;
  /** What is drawn as a whole when sessions are split: the session, or the task that many sessions repeat. */
  unit: string;
  /** The cohorts that it belongs to, in the order of `cohortBy`. */
  cohortKeys: readonly (string | undefined)[];
  agent: string;
  principal: string | undefined;
  /** Times of all actions, ms, in order of arrival. */
  times: number[];
  /** By place in `times`: the actions that some intent or rule looks at. */
  actions: Map<number, ActionEvent>;
}

interface Life {
  lesson: Lesson;
  startMs: number;
  lastMs: number;
}

/** Gathers lessons from a log in which sessions are interleaved. A session that ends and begins again gives two. */
export class Lessons {
  readonly all: Lesson[] = [];
  readonly #intents: readonly CheckedIntent[];
  readonly #cohortBy: Baseline['cohortBy'];
  readonly #settings: Pick<PolicySettings, 'idleEndMs' | 'maxLifetimeMs'>;
  readonly #unitOf: (session: string) => string | undefined;
  readonly #looksAt: (event: ActionEvent) => boolean;
  readonly #lives = new Map<string, Life>();

  /**
   * `unitOf` answers undefined for a session that is not to be learned from; `looksAt` names actions that are kept though
   * no intent looks at them.
   */
  constructor(
    intents: readonly CheckedIntent[],
    cohortBy: Baseline['cohortBy'],
    settings: Pick<PolicySettings, 'idleEndMs' | 'maxLifetimeMs'>,
    unitOf: (session: string) => string | undefined,
    looksAt: (event: ActionEvent) => boolean = () => false,
  ) {
    this.#looksAt = looksAt;
    this.#intents = intents;
    this.#cohortBy = cohortBy;
    this.#settings = settings;
    this.#unitOf = unitOf;
  }

  /** `appendMs` is the time of the log, by which a session ends. */
  add(event: ActionEvent, appendMs: number): void {
    const unit = this.#unitOf(event.session);
    if (unit === undefined) return;
    const { idleEndMs, maxLifetimeMs } = this.#settings;
    let life = this.#lives.get(event.session);
    if (!life || appendMs - life.lastMs >= idleEndMs || appendMs - life.startMs >= maxLifetimeMs) {
      life = { lesson: this.#begin(event, unit), startMs: appendMs, lastMs: appendMs };
      this.#lives.set(event.session, life);
    }
    life.lastMs = appendMs;
    const { times, actions } = life.lesson;
    if (this.#intents.some(({ test, after }) => test(event) || after?.test(event) === true) || this.#looksAt(event))
      actions.set(times.length, event);
    times.push(parseInstant(event.time));
  }

  #begin(event: ActionEvent, unit: string): Lesson {
    const lesson = {
      session: event.session,
      unit,
      cohortKeys: cohortKeys(this.#cohortBy, event),
      agent: event.agent.id,
      principal: event.principal?.id,
      times: [],
      actions: new Map(),
    };
    this.all.push(lesson);
    return lesson;
  }
}

import type { ActionEvent } from '../../domain/event.ts';

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
  readonly actions: ReadonlyMap<number, ActionEvent>;
}

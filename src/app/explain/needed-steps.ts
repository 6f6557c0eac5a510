import { levelRank } from '../../domain/level.ts';
import { type RunPart, rerunOf, upTo } from './rerun.ts';
import type { Rise, Story, StoryAction } from './story.ts';

/** Earlier steps without which the action that fired would not have fired. That action itself is never among them. */
export interface NeededSteps {
  /**
   * `each`: without any one of these it would not have fired.
   * `together`: without all of these, while with any one of them back it would. No part of them is enough; another
   * choice of steps, perhaps a smaller one, may do too.
   * `sufficient`: without all of these; the search ended before each of them was tried.
   * `none`: the action fires without anything before it.
   */
  claim: 'each' | 'together' | 'sufficient' | 'none';
  steps: StoryAction[];
}

/** Bounds the search: so many actions are judged in all of its runs. */
const JUDGED_MAX = 1_000_000;

/** By judging the session up to the action again, with this rule alone, without the steps in question. */
export function neededSteps(story: Story, rise: Rise): NeededSteps {
  const looked = story.actions.filter(
    ({ number, readings }) =>
      number < rise.number + (rise.silence === undefined ? 0 : 1) && readings.some(({ rule }) => rule === rise.rule),
  );
  const run = rerunOf(story, (rule) => (rule.id === rise.rule ? rule : undefined));
  let runs = Math.floor(JUDGED_MAX / rise.number);
  const spares = (without: ReadonlySet<number>): boolean => {
    runs--;
    return isSpared(rise, run, without);
  };
  const without = new Set(looked.map(({ number }) => number));
  if (!spares(without)) return { claim: 'none', steps: [] };
  const each = looked.length > runs / 2 ? [] : looked.filter(({ number }) => spares(new Set([number])));
  if (each.length > 0) return { claim: 'each', steps: each };

  // The light ones come back first, so that few heavy steps remain.
  const lightFirst = looked.toSorted((a, b) => weightOf(a) - weightOf(b) || a.number - b.number);
  const putBack = (steps: readonly StoryAction[]): void => {
    if (steps.length === 0 || runs <= 0) return;
    for (const { number } of steps) without.delete(number);
    if (spares(without)) return;
    for (const { number } of steps) without.add(number);
    if (steps.length === 1) return;
    const half = steps.length >> 1;
    putBack(steps.slice(0, half));
    putBack(steps.slice(half));
  };
  putBack(lightFirst);
  // Once more, each alone: a rule that asks for less than something may fire with fewer steps and not with more.
  let proven = true;
  for (const { number } of looked.filter((one) => without.has(one.number))) {
    if (runs <= 0) proven = false;
    if (!proven) break;
    without.delete(number);
    if (!spares(without)) without.add(number);
  }
  return { claim: proven ? 'together' : 'sufficient', steps: looked.filter(({ number }) => without.has(number)) };
}

/** Whether no rule of the run brings the session to the level by that action. */
export function isSpared(rise: Rise, run: (part: RunPart) => Rise[], without: ReadonlySet<number>): boolean {
  return run({ ...upTo(rise), without }).every(({ level }) => levelRank(level) < levelRank(rise.level));
}

function weightOf({ event }: StoryAction): number {
  return typeof event.affected === 'number' && event.affected > 1 ? event.affected : 1;
}

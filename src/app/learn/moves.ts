import type { Baseline } from '../../domain/baseline.ts';

/** A new version may raise these so far by itself: further needs a person, or a slow poisoner has the time he needs. */
export const KILL_RAISED_MAX = 1.2;
export const RATE_RAISED_MAX = 1.5;

/** What a new baseline tolerates more than the one before, beyond the bounds of one version. */
export type Move =
  | { what: 'kill'; before: number /** Undefined: nothing reaches it any more. */; after: number | undefined }
  /** Marks of one intent per action, or per active hour. An empty cohort is all sessions together. */
  | { what: 'rate'; intent: string; cohort: string; clock: 'events' | 'active'; before: number; after: number };

/**
 * What of the new baseline a person has to accept. Only what both have and mean alike can be compared: an intent that
 * marks something else, or a cohort that is new, is not bounded here.
 */
export function movesBeyond(before: Baseline, after: Baseline): Move[] {
  return [...killMoves(before, after), ...rateMoves(before, after)];
}

function killMoves({ thresholds: before }: Baseline, { thresholds: after }: Baseline): Move[] {
  const [old, now] = [before.kill.c, after.kill.c];
  if (old === undefined || (now !== undefined && now <= old * KILL_RAISED_MAX)) return [];
  return [{ what: 'kill', before: old, after: now }];
}

function rateMoves(before: Baseline, after: Baseline): Move[] {
  const moves = Object.entries(after.intents).flatMap(([intent, now]) => {
    const old = before.intents[intent];
    if (old?.meaning !== now.meaning) return [];
    const models = Object.entries({ '': now.global, ...now.cohorts });
    return models.flatMap(([cohort, model]) => {
      const was = cohort === '' ? old.global : old.cohorts[cohort];
      if (was === undefined) return [];
      return (['events', 'active'] as const)
        .map((clock) => ({
          what: 'rate' as const,
          intent,
          cohort,
          clock,
          before: was[clock].mu,
          after: model[clock].mu,
        }))
        .filter((move) => move.after > move.before * RATE_RAISED_MAX);
    });
  });
  return moves.sort((a, b) => b.after / b.before - a.after / a.before);
}

import type { Reading } from '../gauge.ts';

/** How near the lowest condition of a rule is to holding, 0 to 1: 1 where it holds, 0 where it compares nothing. */
export function nearnessOf([lowest]: Reading['bounds']): number {
  if (lowest?.holds === true) return 1;
  const shares = (lowest?.compared ?? []).map(shareOf);
  return shares.length === 0 ? 0 : Math.min(...shares);
}

function shareOf({ score, threshold, holds }: Reading['bounds'][number]['compared'][number]): number {
  if (holds) return 1;
  return score > 0 && threshold > 0 ? Math.min(score / threshold, threshold / score) : 0;
}

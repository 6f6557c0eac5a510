import { startOfDay } from '../../domain/calendar-date.ts';
import type { Intent, IntentMode } from '../../domain/intent.ts';
import type { RuleProblem } from '../problem.ts';

/** What an intent may do at a time of the log, ms: it dwells in each mode as long as its dates say. */
export type ModeAt = (nowMs: number) => IntentMode;

/**
 *   ├─ discover ─┤ shadowFrom ├─ shadow ─┤ enforceFrom ├─ enforce        and never more than `mode`
 */
export function modeAtOf({ mode, shadowFrom, enforceFrom }: Intent, problems: RuleProblem[]): ModeAt {
  const shadowMs = shadowFrom === undefined ? Number.NEGATIVE_INFINITY : startOfDay(shadowFrom);
  const enforceMs = enforceFrom === undefined ? shadowMs : startOfDay(enforceFrom);
  if (shadowFrom !== undefined && mode === 'discover')
    problems.push({
      path: ['shadowFrom'],
      message: 'mode is discover, and no day changes that; allowed with shadow or enforce',
    });
  if (enforceFrom !== undefined && mode !== 'enforce')
    problems.push({ path: ['enforceFrom'], message: `mode is ${mode}, and no day changes that; allowed with enforce` });
  if (enforceMs < shadowMs)
    problems.push({
      path: ['enforceFrom'],
      message: `${enforceFrom} is before shadowFrom, ${shadowFrom}; allowed: that day or later`,
    });
  return (nowMs) => {
    if (mode === 'discover' || nowMs < shadowMs) return 'discover';
    return mode === 'shadow' || nowMs < enforceMs ? 'shadow' : 'enforce';
  };
}

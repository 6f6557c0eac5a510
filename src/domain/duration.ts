import { z } from 'zod';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

export const Duration = z
  .string()
  .regex(DURATION, 'a duration is a number and a unit: 500ms, 30s, 10m, 2h, 1d')
  .describe('Duration: a number and a unit, ms s m h d.');

/** Milliseconds of a duration such as `30s`, `10m`, `1.5h`; NaN for anything else. */
export function parseDuration(text: string): number {
  const found = DURATION.exec(text);
  if (!found) return Number.NaN;
  return Math.round(Number(found[1]) * UNIT_MS[found[2] as keyof typeof UNIT_MS]);
}

/** The shortest exact form of a duration: `600000` → `10m`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs >= UNIT_MS[unit] && durationMs % UNIT_MS[unit] === 0) return `${durationMs / UNIT_MS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}

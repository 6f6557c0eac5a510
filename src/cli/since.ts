import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../domain/duration.ts';

/** `--since 24h`: how far back to read, ms. */
export function sinceOption(text: string): number {
  const durationMs = parseDuration(text);
  if (Number.isNaN(durationMs))
    throw new InvalidArgumentError(`found "${text}"; allowed: a duration such as 30m, 24h, 7d`);
  return durationMs;
}

export const SINCE_DEFAULT_MS = 24 * 3_600_000;

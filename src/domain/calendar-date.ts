import { z } from 'zod';
import { parseInstant } from './instant.ts';

export const DAY_MS = 86_400_000;

/** A day in UTC, such as `2027-01-31`. */
export const CalendarDate = z.iso.date('a date such as 2027-01-31');

/** First instant of the day, UTC, ms since 1970. */
export function startOfDay(date: string): number {
  return parseInstant(`${date}T00:00:00Z`);
}

/** First instant after the day, ms since 1970: what holds until a date holds through that day, UTC. */
export function endOfDay(date: string): number {
  return startOfDay(date) + DAY_MS;
}

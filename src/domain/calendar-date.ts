import { z } from 'zod';
import { parseInstant } from './instant.ts';

const DAY_MS = 86_400_000;

/** A day in UTC, such as `2027-01-31`. */
export const CalendarDate = z.iso.date('a date such as 2027-01-31');

/** First instant after the day, ms since 1970: what holds until a date holds through that day, UTC. */
export function endOfDay(date: string): number {
  return parseInstant(`${date}T00:00:00Z`) + DAY_MS;
}

/** Whole days from the end of one to `nowMs`, at least 1 once it is over; 0 while it is not. */
export function daysSince(endMs: number, nowMs: number): number {
  return nowMs < endMs ? 0 : Math.floor((nowMs - endMs) / DAY_MS) + 1;
}

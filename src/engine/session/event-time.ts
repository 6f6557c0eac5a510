/** An event may claim to be so much later than its receipt: clocks differ. Anything beyond is cut back to this. */
export const FUTURE_MS = 30_000;

/**
 * The time at which an event counts: its own, but never outside
 *
 *        received − delayMs ├───────────────┤ received + 30 s
 *
 * so that a date in the future cannot empty a window and one in the past cannot hide from it. All times ms.
 */
export function effectiveTime(timeMs: number, receivedMs: number, delayMs: number): number {
  return Math.max(0, Math.min(Math.max(timeMs, receivedMs - delayMs), receivedMs + FUTURE_MS));
}

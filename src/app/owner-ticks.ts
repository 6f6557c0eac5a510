import type { LogRecord } from '../domain/record.ts';
import type { Partition } from '../engine/partition.ts';

/** While something is pending, nothing is silent for longer: see what `step` makes of a jump of the clock. */
export const TICK_INTERVAL_MS = 60_000;

/**
 * The ticks that the owner of a partition would write until then, where a recording has none: one for what is due, and one
 * a minute while anything is pending. Each has to be stepped before the next is asked for. `offset`: where they stand.
 */
export function* ownerTicks(partition: Partition, untilMs: number, offset: number): Generator<LogRecord> {
  while (partition.pending.size > 0) {
    const { clockMs } = partition.state;
    const appendMs = Math.max(clockMs, Math.min(partition.nextDueMs, clockMs + TICK_INTERVAL_MS));
    if (appendMs > untilMs) return;
    yield { offset, appendMs, body: { type: 'tick' } };
  }
}

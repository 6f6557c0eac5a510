import type { Stats } from '../adapters/telemetry/stats.ts';

/** Longer than any call may wait, and as long as enforcers wait for a lease before they act on their own. */
const SILENT_MS = 15_000;

/** Why this process does not judge all that it holds; empty when it does. */
export function notReady({ joined, partitions }: Stats, nowMs: number): string[] {
  if (!joined) return ['the group has not assigned anything yet'];
  return [...partitions].flatMap(([partition, { ready, reason, provenMs = nowMs }]) => {
    if (!ready) return [`partition ${partition} is not judged: ${reason ?? 'it is being taken over'}`];
    const silentMs = nowMs - provenMs;
    if (silentMs <= SILENT_MS) return [];
    return [`partition ${partition}: Kafka or Redis has not answered for ${Math.round(silentMs / 1000)} s`];
  });
}

import type { Condition } from '../../domain/level.ts';

/** Evidence in nats above which each level begins; Infinity where nothing certifies one. */
export type EvidenceThresholds = Record<Condition, number>;

/** A pause that a person released comes again at evidence ten times rarer than what that person accepted. */
const REARM_NATS = Math.log(10);

/** Below this risk `watch` is left; it is entered at 30. */
export const WATCH_LEFT_BELOW = 20;

/**
 * Evidence as a number from 0 to 100: 30 at the threshold of `watch`, 60 of `pause`, 100 of `kill`, straight lines
 * between them. Without a threshold for `kill` it stays at 60.
 */
export function riskOf(evidence: number, { watch, pause, kill }: EvidenceThresholds): number {
  if (!(evidence > 0)) return 0;
  if (evidence <= watch) return (30 * evidence) / watch;
  if (evidence <= pause) return 30 + (30 * (evidence - watch)) / (pause - watch);
  if (kill === Number.POSITIVE_INFINITY) return 60;
  return evidence > kill ? 100 : 60 + (40 * (evidence - pause)) / (kill - pause);
}

/**
 * The condition that evidence raises. Strictly above a threshold, as calibration counts: ties are safe.
 *
 * @param accepted evidence at which a person released the session last; -Infinity where nobody did
 */
export function conditionOf(
  evidence: number,
  { watch, pause, kill }: EvidenceThresholds,
  accepted: number,
): Condition | undefined {
  if (evidence > kill) return 'kill';
  if (evidence > Math.max(pause, accepted + REARM_NATS)) return 'pause';
  return evidence > watch ? 'watch' : undefined;
}

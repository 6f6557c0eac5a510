import { type DriftState, driftOf } from '../domain/drift.ts';
import { levelRank } from '../domain/level.ts';
import { conformalP, DRIFT_ALARM, driftEvidence, watchDrift } from './evidence/drift.ts';
import type { Outputs } from './outputs.ts';
import type { Session } from './session/session.ts';

/**
 * A monitor runs over so many sessions in each of those that it compares them with, then begins again: they are finite,
 * and their own chance would be taken for drift. Source: scoring reference, section 9.
 */
const RUN_SHARE = 0.25;

/**
 * A life of a session is over. How far its evidence reached is compared with the sessions that certify the thresholds.
 * Left out is what says nothing of them: sessions that were stopped, that began under another baseline, or of which a
 * part is unknown.
 */
export function noteFinished(session: Session, outputs: Outputs): void {
  const { state, plan } = outputs.partition;
  if (session.level !== 'killed' && session.actions > 0) state.finished++;
  const { drift } = state;
  if (!drift || !plan?.evidence || !session.intents || session.degraded) return;
  if (levelRank(session.level) >= levelRank('paused') || session.startMs < drift.sinceMs) return;
  const { reached } = plan.evidence;
  const monitor = watchDrift(drift, conformalP(reached, session.intents.evidence.highest));
  const evidence = driftEvidence(monitor);
  const sessions = drift.sessions + 1;
  const isNew = evidence > DRIFT_ALARM && !drift.drifted;
  const over = sessions >= RUN_SHARE * reached.length;
  const { baseline, sinceMs } = drift;
  state.drift = { ...drift, ...monitor, sessions, drifted: drift.drifted || isNew };
  if (over) state.drift = { ...driftOf(baseline, sinceMs), drifted: state.drift.drifted };
  if (isNew) {
    const reason = `${sessions} finished sessions do not reach as far, or reach further, than those that certify the thresholds of ${baseline}: evidence kills no more until a new baseline is learned`;
    outputs.finding('baseline_drifted', undefined, { reason });
  }
}

/** Why evidence may not kill under this monitor; empty where it may. */
export function doubtOf(drift: DriftState | undefined): string {
  return drift?.drifted ? 'the sessions of late are not as those that certify the threshold: learn a new baseline' : '';
}

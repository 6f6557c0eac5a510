import type { ActionEvent } from '../domain/event.ts';
import { NEW_SESSIONS_PER_MINUTE, type PolicySettings, SESSIONS_MAX } from '../domain/rule.ts';
import { fingerprint } from './fingerprint.ts';
import type { Partition } from './partition.ts';
import type { PartitionState } from './partition-state.ts';
import { crowdOf, isCrowdId } from './session/crowd-id.ts';

const MINUTE_MS = 60_000;
/** Agents that opened sessions in a minute are told apart by two rows of so many counters. */
const COUNTERS = 256;

/**
 * Id of the session in which an action is judged: its own. But a session id costs its sender nothing, and no sum over
 * one session sees what is spread over thousands. So of the sessions that an agent begins in a minute, and of those that a
 * partition holds, there is a bound, and what begins beyond it is judged together:
 *
 *   sessions of an agent ──► those that are known              each by itself
 *                        ──► the first of each minute          each by itself from here on
 *                        ──► all others, while the minute runs ──► one crowd, by the rules over their sum
 *
 * A matter of the log alone. Agents whose counters collide in both rows (one pair of 65,536) count together: the bound
 * errs towards judging together, and it counts every action of a session that it did not let in.
 */
export function judgedIn({ session, agent }: ActionEvent, partition: Partition, settings: PolicySettings): string {
  if (isCrowdId(session)) return crowdOf(agent.id);
  if (partition.holds(session)) return session;
  const { newSessionsPerMinute, sessionsMax } = boundsOfSessions(settings);
  const begun = countBegun(partition.state, agent.id);
  return begun > newSessionsPerMinute || partition.sessionCount >= sessionsMax ? crowdOf(agent.id) : session;
}

export function boundsOfSessions({
  newSessionsPerMinute = NEW_SESSIONS_PER_MINUTE,
  sessionsMax = SESSIONS_MAX,
}: PolicySettings): { newSessionsPerMinute: number; sessionsMax: number } {
  return { newSessionsPerMinute, sessionsMax };
}

/** How many sessions the agent has begun in this minute of the partition's clock, with this one; never too few. */
function countBegun(state: PartitionState, agent: string): number {
  const sinceMs = state.clockMs - (state.clockMs % MINUTE_MS);
  if (state.begun?.sinceMs !== sinceMs) state.begun = { sinceMs, counts: {} };
  const { counts } = state.begun;
  const key = fingerprint(agent);
  let least = Number.POSITIVE_INFINITY;
  for (const at of [key % COUNTERS, COUNTERS + (Math.floor(key / COUNTERS) % COUNTERS)]) {
    const count = (counts[at] ?? 0) + 1;
    counts[at] = count;
    least = Math.min(least, count);
  }
  return least;
}

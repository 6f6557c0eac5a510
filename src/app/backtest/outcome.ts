import type { Finding } from '../../domain/finding.ts';
import { LEVELS, type Level, levelRank } from '../../domain/level.ts';
import type { Place } from './frame.ts';
import type { BySide } from './sides.ts';

/** What first brought a session to a level. */
export interface Cause {
  rule: string;
  reason: string;
  score: number;
  threshold: number;
  triggerEventId: string;
  /** Append time of the record. */
  time: string;
  place: Place;
  /** Number of the event within its session, from 1, as the report counts them: repeated ones too. */
  event: number;
}

export interface Outcome {
  /** The highest level that the session reached. */
  level: Level;
  causes: Partial<Record<Level, Cause>>;
  /** Rule in shadow → the highest level that it would have asked for. */
  shadow: Record<string, Level>;
}

/** One session of the stream, judged by each side. */
export interface JudgedSession {
  session: string;
  /** Agent and role of its first event. */
  agent: string;
  role: string;
  /** Its first event: gives the sessions an order, whoever judged them. */
  place: Place;
  events: number;
  outcome: BySide<Outcome>;
}

/** The order of first events in the input. */
export function inOrder({ place: a }: JudgedSession, { place: b }: JudgedSession): number {
  return a.source - b.source || a.at - b.at;
}

/** Shared by all sessions to which nothing happened, which are most: never changed. */
export const CLEAR: Outcome = Object.freeze({ level: 'clear', causes: Object.freeze({}), shadow: Object.freeze({}) });

/** The outcome after one more finding about the session. */
export function withFinding(before: Outcome, finding: Finding, at: { place: Place; event: number }): Outcome {
  const to = finding.level?.to;
  if (to === undefined || finding.rule === undefined) return before; // a fall of level has no rule, and no rise
  if (finding.code === 'shadow_hit') {
    return { ...before, shadow: { ...before.shadow, [finding.rule]: higher(before.shadow[finding.rule], to) } };
  }
  if (finding.code !== 'level_changed' || before.causes[to] !== undefined) return before;
  const { rule, reason, score = 0, threshold = 0, triggerEventId = '', time } = finding;
  const cause: Cause = { rule, reason, score, threshold, triggerEventId, time, ...at };
  return { ...before, level: higher(before.level, to), causes: { ...before.causes, [to]: cause } };
}

/** The cause of the level that the session ended up with, none for a clear one. */
export function decisiveCause({ level, causes }: Outcome): Cause | undefined {
  return causes[level];
}

export function noLevels(): Record<Level, number> {
  return Object.fromEntries(LEVELS.map((level) => [level, 0])) as Record<Level, number>;
}

function higher(a: Level | undefined, b: Level): Level {
  return a !== undefined && levelRank(a) > levelRank(b) ? a : b;
}

import { createHash } from 'node:crypto';

/** How far one session reached that certifies thresholds, and who could have arranged that it did. */
export interface Score {
  session: string;
  highest: number;
  agent: string;
  principal: string | undefined;
}

const PARTIES = ['agent', 'principal'] as const;
export type Party = (typeof PARTIES)[number];

/** How far the sessions that certify thresholds are those of few. */
export interface Concentration {
  /** Different agents, or principals. Sessions without a principal are nobody's. */
  parties: number;
  /** Whose sessions are most before any is left out, and their share. Undefined where nobody is named. */
  largest: { name: string; share: number } | undefined;
  /** Sessions left out because they would have given one too much say. */
  leftOut: number;
}

/** Of the sessions that certify, nobody has more than this share. */
export const SHARE_MAX = 0.05;
/** With fewer there is no such share to keep to. */
export const PARTIES_MIN = 1 / SHARE_MAX;

/**
 * Bounds what one agent and one principal can do to a threshold by planting sessions that reach far. Where there are at
 * least PARTIES_MIN of them, each has at most
 *
 *   SHARE_MAX of all sessions   those that stay are drawn by the hash of their session, whatever they reach
 *   half of the top r           for every r: the largest of one alone never hold the place at which a budget stands
 *
 * What is left out can only lower a threshold, so it errs to seeing more. The same sessions give the same answer in any
 * order; kept ones come falling. Source: scoring reference, section 9.
 */
export function limited(sessions: readonly Score[]): { kept: Score[]; by: Record<Party, Concentration> } {
  let kept = sessions.map(drawn).sort((a, b) => b.highest - a.highest || (a.draw < b.draw ? -1 : 1));
  const by = { agent: concentration(kept, 'agent'), principal: concentration(kept, 'principal') };
  // Leaving out the sessions of one makes the share of another larger.
  for (let before = -1; before !== kept.length; ) {
    before = kept.length;
    for (const party of PARTIES) {
      if (by[party].parties < PARTIES_MIN) continue;
      const rest = underHalfOfTop(underShare(kept, party), party);
      by[party].leftOut += kept.length - rest.length;
      kept = rest;
    }
  }
  return { kept: kept.map(({ draw: _, ...score }) => score), by };
}

interface Drawn extends Score {
  /** Decides who stays: it has nothing to do with what the session did. */
  draw: string;
}

function drawn(score: Score): Drawn {
  const draw = createHash('sha256').update(`draw ${score.session}`).digest('hex');
  return { ...score, draw };
}

function countsOf(sessions: readonly Score[], party: Party): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { [party]: name } of sessions) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function concentration(sessions: readonly Score[], party: Party): Concentration {
  const counts = [...countsOf(sessions, party)].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const [first] = counts;
  const largest = first && { name: first[0], share: first[1] / sessions.length };
  return { parties: counts.length, largest, leftOut: 0 };
}

function underShare(sessions: readonly Drawn[], party: Party): Drawn[] {
  const counts = countsOf(sessions, party);
  const nobodys = sessions.length - [...counts.values()].reduce((sum, count) => sum + count, 0);
  const most = largestShare([...counts.values()], nobodys);
  const out = new Set<Drawn>();
  for (const [name, count] of counts) {
    if (count <= most) continue;
    const own = sessions.filter((one) => one[party] === name).sort((a, b) => (a.draw < b.draw ? -1 : 1));
    for (const one of own.slice(most)) out.add(one);
  }
  return sessions.filter((one) => !out.has(one));
}

/** The most sessions that each may keep so that nobody has more than SHARE_MAX of what is then left. */
function largestShare(counts: readonly number[], nobodys: number): number {
  const isLawful = (most: number) =>
    most <= SHARE_MAX * counts.reduce((sum, count) => sum + Math.min(count, most), nobodys) + 1e-9;
  let [low, high] = [1, Math.max(...counts) + 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isLawful(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function underHalfOfTop(falling: readonly Drawn[], party: Party): Drawn[] {
  const kept: Drawn[] = [];
  const counts = new Map<string, number>();
  for (const one of falling) {
    const name = one[party];
    const count = name === undefined ? 0 : (counts.get(name) ?? 0) + 1;
    if (count > Math.max(1, Math.floor((kept.length + 1) / 2))) continue;
    if (name !== undefined) counts.set(name, count);
    kept.push(one);
  }
  return kept;
}

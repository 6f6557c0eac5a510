import type { ValueType } from './term.ts';

/** The names that an expression may use: a dotted path, its slot in the values array, and its type. */
export interface Names {
  lookup(path: string): { slot: number; type: ValueType } | undefined;
  /** Every declared path, for suggestions. */
  all(): readonly string[];
}

/** `; did you mean "deletes"?`, or else a few of the candidates, so that a message never ends at "unknown". */
export function hint(wanted: string, candidates: readonly string[]): string {
  const nearest = nearestName(wanted, candidates);
  if (nearest !== undefined) return `; did you mean "${nearest}"?`;
  if (candidates.length === 0) return '';
  const shown = candidates.slice(0, 20).join(', ');
  return `; known: ${shown}${candidates.length > 20 ? ', …' : ''}`;
}

/** The candidate with the least edits, at most a third of the length; or the one path that ends in `.wanted`. */
export function nearestName(wanted: string, candidates: readonly string[]): string | undefined {
  const lowered = wanted.toLowerCase();
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= bestEdits) continue;
    const edits = editDistance(lowered, candidate.toLowerCase(), bestEdits);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  if (best !== undefined) return best;
  const endings = candidates.filter((candidate) => candidate.toLowerCase().endsWith(`.${lowered}`));
  return endings.length === 1 ? endings[0] : undefined;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours (`delets`, `delteed`), each one edit. Gives up at `enough`:
 * what two rows in a row have reached, no later one goes below.
 */
function editDistance(a: string, b: string, enough: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  let lastLeast = 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let rowLeast = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
      rowLeast = Math.min(rowLeast, least);
    }
    if (rowLeast >= enough && lastLeast >= enough) return enough;
    lastLeast = rowLeast;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

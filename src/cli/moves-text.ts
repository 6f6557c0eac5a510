import { KILL_RAISED_MAX, type Move, RATE_RAISED_MAX } from '../app/learn/moves.ts';

/** Of many moves so many are named. */
const NAMED = 10;

export const BOUNDS_TEXT = `kill x ${KILL_RAISED_MAX}, rates x ${RATE_RAISED_MAX}`;

/** One line for each move, the largest first. */
export function movesText(moves: readonly Move[]): string[] {
  const more = moves.length > NAMED ? [`and ${moves.length - NAMED} more`] : [];
  return [...moves.slice(0, NAMED).map(moveText), ...more];
}

function moveText(move: Move): string {
  if (move.what === 'kill') {
    const after = move.after === undefined ? 'never' : `${rounded(move.after)} nats (${factor(move)})`;
    return `kill: above ${rounded(move.before)} -> ${after}`;
  }
  const { intent, cohort, clock, before, after } = move;
  const per = clock === 'events' ? 'per 100 actions' : 'per 100 active hours';
  const rates = `${rounded(before * 100)} -> ${rounded(after * 100)} marks ${per}`;
  return `${intent}: ${cohort || 'all sessions'}: ${rates} (${factor(move)})`;
}

function factor({ before, after }: Move): string {
  return `x ${rounded(after! / before)}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

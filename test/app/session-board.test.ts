import { expect, it } from 'vitest';
import { SessionBoard } from '../../src/app/session-board.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Level } from '../../src/domain/level.ts';

const at = (offset: number) => ({ topicId: 't', partition: 0, offset: String(offset) });
const time = (offset: number) => `2026-11-27T09:00:${String(offset).padStart(2, '0')}.000Z`;

function finding(code: Finding['code'], offset: number, more: Partial<Finding> = {}): Finding {
  const base = { id: `f${offset}`, code, time: time(offset), position: at(offset), policyHash: 'h', reason: 'why' };
  return { ...base, session: 's', agent: { id: 'a' }, ...more };
}
function moved(from: Level, to: Level, offset: number, session = 's'): Finding {
  return finding('level_changed', offset, { session, level: { from, to }, rule: 'r' });
}
function requested(offset: number, more: Partial<Finding['request']> = {}): Finding {
  const request = {
    ...{ command: 'c', conditions: [], conditionsOmitted: 0, approvals: 1, approvedBy: [], grantBounds: [] },
    ...more,
  };
  return finding('decision_requested', offset, { request, view: `v${offset}` });
}
const verdict = (level: Level, offset: number, session = 's') => ({
  ...{ session, level, command: `c${offset}`, rule: 'r', time: time(offset), position: at(offset) },
});

function board(...said: (Finding | ReturnType<typeof verdict>)[]): SessionBoard {
  const made = new SessionBoard();
  for (const one of said) 'code' in one ? made.finding(one) : made.verdict(one);
  return made;
}

it('shows the request of a paused session, and when waiting for it ends', () => {
  const answerUntil = '2026-11-27T09:15:00.000Z';
  const due = finding('decision_due', 3, { request: requested(2, { answerUntil }).request! });
  const view = board(moved('clear', 'paused', 2), requested(2), due, verdict('paused', 2)).of('s');
  expect(view).toMatchObject({ level: 'paused', command: 'c2', answerUntil, request: { view: 'v2' }, since: time(2) });
});

it('forgets the request with the release, and asks anew with the next pause', () => {
  const said = [moved('clear', 'paused', 2), requested(2), moved('paused', 'watch', 5)];
  expect(board(...said).of('s')).not.toHaveProperty('request');
  const again = board(...said, moved('watch', 'paused', 8), requested(8)).of('s');
  expect(again?.request?.view).toBe('v8');
});

it('forgets a session that is clear again', () => {
  expect(board(moved('clear', 'watch', 1), moved('watch', 'clear', 9)).all()).toEqual([]);
});

it('holds a kill, whatever comes later or again', () => {
  const made = board(verdict('killed', 7), verdict('paused', 9), moved('clear', 'watch', 3));
  expect(made.of('s')).toMatchObject({ level: 'killed', command: 'c7' });
});

it('takes the later position, in whatever order the topics are read', () => {
  expect(board(verdict('watch', 9), moved('clear', 'paused', 4)).of('s')?.level).toBe('watch');
});

it('forgets an alarm about a level that the session has left', () => {
  const alarm = finding('command_unacknowledged', 3);
  expect(board(moved('clear', 'paused', 2), alarm).of('s')).toHaveProperty('alarm');
  expect(board(moved('clear', 'paused', 2), alarm, moved('paused', 'watch', 4)).of('s')).not.toHaveProperty('alarm');
});

it('lists alarms first, then who waits, then by level and age', () => {
  const alarm = finding('action_after_kill', 8, { session: 'alarm' });
  const made = board(
    ...[moved('clear', 'watch', 1, 'watch'), moved('clear', 'paused', 2, 'old'), verdict('killed', 3, 'alarm'), alarm],
    ...[verdict('killed', 4, 'killed'), moved('clear', 'paused', 5), requested(5), moved('clear', 'paused', 6, 'new')],
  );
  expect(made.all().map(({ session }) => session)).toEqual(['alarm', 's', 'old', 'new', 'killed', 'watch']);
});

import { describe, expect, it } from 'vitest';
import { Log, planOf } from './harness.ts';

const MINUTE = 60_000;
const IDLE = 30 * MINUTE;
const LIFETIME = 300 * MINUTE;

/** Numbers of the lives that the actions belong to: in a new life the first action is number 1 again. */
function actionsAfter(timesMs: number[]): number[] {
  const log = new Log(planOf([{ when: { watch: 'n < 0' } }], { idleEndMs: IDLE, maxLifetimeMs: LIFETIME }));
  return timesMs.map((atMs) => {
    log.act(atMs);
    return log.partition.sessions.get('s-1')!.actions;
  });
}

describe('a life of a session', () => {
  it.each<[string, number[], number[]]>([
    ['goes on until the idle time', [0, IDLE - 1, 2 * IDLE - 2], [1, 2, 3]],
    ['ends at the first record after just that time', [0, IDLE, IDLE + 1], [1, 1, 2]],
    ['ends after its longest time, however busy', everyMinutes(20, 17), [...oneTo(15), 1, 2]],
  ])('%s', (_, times, expected) => {
    expect(actionsAfter(times)).toEqual(expected);
  });

  it('begins at the session clock: its first event, however late it is, does not make it old', () => {
    const log = new Log(planOf([{ when: { kill: 'session.age > 0 and session.actions == 1' } }], { idleEndMs: IDLE }));
    log.act(0, {}, 0);
    log.act(40 * MINUTE - 50 * MINUTE, {}, 40 * MINUTE);
    expect(log.partition.sessions.get('s-1')!.actions).toBe(1);
    expect(log.level()).toBe('clear');
  });
});

function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function everyMinutes(minutes: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i * minutes * MINUTE);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timers } from '../../src/engine/timers.ts';

interface Timer {
  atMs: number;
  session: string;
}

const timer = fc.record({ atMs: fc.nat({ max: 50 }), session: fc.constantFrom('a', 'b', 'c', 'é', 'Z') });
const happening = fc.oneof(
  { weight: 3, arbitrary: timer.map((one) => ({ add: one })) },
  { weight: 1, arbitrary: fc.nat({ max: 60 }).map((nowMs) => ({ nowMs })) },
);

function inOrder(timers: readonly Timer[]): Timer[] {
  return [...timers].sort((a, b) => a.atMs - b.atMs || (a.session < b.session ? -1 : a.session > b.session ? 1 : 0));
}

describe('Timers', () => {
  it('gives what is due in the order of time and session, whatever the order of adding', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 300, size: 'max' }), (happenings) => {
        const timers = new Timers();
        let waiting: Timer[] = [];
        for (const one of happenings) {
          if ('add' in one) {
            timers.add(one.add.atMs, one.add.session);
            waiting.push(one.add);
          } else {
            const due = inOrder(waiting.filter(({ atMs }) => atMs <= one.nowMs));
            expect([...timers.due(one.nowMs)].sort()).toEqual(due.map(({ session }) => session).sort());
            for (const wanted of due) expect(timers.takeDue(one.nowMs)).toEqual(wanted);
            expect(timers.takeDue(one.nowMs)).toBeUndefined();
            waiting = waiting.filter(({ atMs }) => atMs > one.nowMs);
          }
          expect(timers.size).toBe(waiting.length);
        }
      }),
    );
  });
});

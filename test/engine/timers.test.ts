import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Timer, Timers } from '../../src/engine/timers.ts';

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
        let timers = new Timers();
        let waiting: Timer[] = [];
        for (const one of happenings) {
          if ('add' in one) {
            timers.add(one.add.atMs, one.add.session);
            waiting.push(one.add);
          } else {
            const due = inOrder(waiting.filter(({ atMs }) => atMs <= one.nowMs));
            for (const count of [0, 1, 3]) expect(timers.isCrowded(one.nowMs, count)).toBe(due.length > count);
            const isVoid = ({ session }: Timer) => session === 'Z';
            const valid = [...new Set(due.filter((timer) => !isVoid(timer)).map(({ session }) => session))];
            expect(timers.firstDue(one.nowMs, 2, isVoid)).toEqual(valid.slice(0, 2));
            // What is void may be gone by then.
            const left = new Timers();
            for (const { atMs, session } of waiting) left.add(atMs, session);
            timers = left;
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

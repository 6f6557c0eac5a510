import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/ports.ts';

export interface ClockUnderTest {
  clock: Clock;
  /** Lets so much of the clock's time pass. */
  pass(durationMs: number): Promise<void>;
}

export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`Clock: ${name}`, () => {
    let clock: Clock;
    let pass: ClockUnderTest['pass'];
    beforeEach(() => {
      ({ clock, pass } = make());
    });
    const stop = new AbortController();
    afterEach(() => stop.abort());

    it('moves both readings by what passes', async () => {
      const [now, monotonic] = [clock.nowMs(), clock.monotonicMs()];
      await pass(30);
      expect(clock.monotonicMs() - monotonic).toBeGreaterThanOrEqual(29);
      expect(clock.nowMs() - now).toBeGreaterThanOrEqual(29);
    });

    it('wakes sleepers in the order of their times, and none early', async () => {
      const begin = clock.monotonicMs();
      const woken: [number, number][] = [];
      const sleepers = [40, 5, 20].map((ms) =>
        clock.sleep(ms).then(() => woken.push([ms, clock.monotonicMs() - begin])),
      );
      await pass(60);
      await Promise.all(sleepers);
      expect(woken.map(([ms]) => ms)).toEqual([5, 20, 40]);
      for (const [ms, at] of woken) expect(at).toBeGreaterThanOrEqual(ms - 1);
    });

    it('wakes at once on abort, and also when it was aborted before', async () => {
      const abort = new AbortController();
      const sleep = clock.sleep(3_600_000, abort.signal);
      abort.abort();
      await sleep;
      await clock.sleep(3_600_000, abort.signal);
    });

    it('leaves no listener behind', async () => {
      const abort = new AbortController();
      let listeners = 0;
      const { signal } = abort;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--;
        remove(...args);
      };
      const sleep = clock.sleep(1, signal);
      expect(listeners).toBe(1);
      await pass(5);
      await sleep;
      expect(listeners).toBe(0);
    });
  });
}

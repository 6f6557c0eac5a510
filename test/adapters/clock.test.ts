import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { clockContract } from '../contracts/clock.ts';

clockContract('system', () => ({ clock: systemClock, pass: (durationMs) => wait(durationMs) }));
clockContract('manual', () => {
  const clock = new ManualClock(1000);
  return { clock, pass: (durationMs) => clock.advance(durationMs) };
});

it('a manual clock stands still, and wakes what a sleeper starts on the way', async () => {
  const clock = new ManualClock(1_000_000);
  const seen: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10);
      seen.push(clock.nowMs());
    }
  })();
  expect(clock.sleepers).toBe(1);
  await clock.advance(25);
  expect(seen).toEqual([1_000_010, 1_000_020]);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000_025, 25]);
  await clock.advance(5);
  await loop;
  expect(clock.sleepers).toBe(0);
});

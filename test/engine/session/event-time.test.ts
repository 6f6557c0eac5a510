import { describe, expect, it } from 'vitest';
import { effectiveTime } from '../../../src/engine/session/event-time.ts';

const HOUR = 3_600_000;
const NOW = 1_767_603_600_000;

describe('effectiveTime', () => {
  it.each<[string, number, number]>([
    ['on time', 0, 0],
    ['a little late', -5000, -5000],
    ['as late as allowed', -HOUR, -HOUR],
    ['later than that is moved forward', -HOUR - 1, -HOUR],
    ['from 1970', -NOW, -HOUR],
    ['as early as clocks may differ', 30_000, 30_000],
    ['earlier than that is cut back', 30_001, 30_000],
    ['from 9999', 9e14, 30_000],
  ])('%s', (_, off, expected) => {
    expect(effectiveTime(NOW + off, NOW, HOUR)).toBe(NOW + expected);
  });

  it('is never below zero, which no window could hold', () => {
    expect(effectiveTime(-1e12, 5000, HOUR)).toBe(0);
  });
});

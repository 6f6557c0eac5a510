import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/domain/duration.ts';

describe('duration', () => {
  it.each([
    ['0ms', 0],
    ['500ms', 500],
    ['1s', 1000],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['1d', 86_400_000],
    ['36h', 129_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '10', 'm', '-1s', '+1s', '1 s', '1S', '1w', '1.s', '.5s', '1e3s', '1h30m', '1s ', 'Infinityd'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeNaN();
    },
  );

  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [1500, '1500ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [86_400_000, '1d'],
    [129_600_000, '36h'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat({ max: 2 ** 31 - 1 }),
          fc.nat({ max: 10_000 }).map((m) => m * 60_000),
        ),
        (ms) => {
          expect(parseDuration(formatDuration(ms))).toBe(ms);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

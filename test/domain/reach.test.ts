import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reach, reachOf, scoresOf } from '../../src/domain/reach.ts';

describe('how far sessions reach', () => {
  it('is exact in the top, and below it never too low and at most one block too high', () => {
    const sizes = fc.constantFrom(0, 1, 2048, 2049, 4096, 4097, 20_000);
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.double({ min: 0, max: 30, noNaN: true })), (size, stream) => {
        const scores = [...stream.take(size)];
        const falling = [...scores].sort((a, b) => b - a);
        const reach = Reach.parse(JSON.parse(JSON.stringify(reachOf(scores))));
        const kept = scoresOf(reach);
        expect(kept.length).toBe(size);
        expect(kept.slice(0, 2048)).toEqual(falling.slice(0, 2048).map((score) => score + 0));
        for (const [at, score] of kept.entries()) {
          expect(score).toBeGreaterThanOrEqual(falling[at]!);
          expect(score).toBeLessThanOrEqual(falling[Math.max(0, at - reach.block + 1)]!);
        }
      }),
      { numRuns: 20 },
    );
  });
});

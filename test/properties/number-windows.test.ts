import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FadingSum, HALF_LIVES_KEPT, halved } from '../../src/engine/window/fading-sum.ts';
import type { Standing } from '../../src/engine/window/feature.ts';
import { LifetimeAverage, LifetimeExtreme } from '../../src/engine/window/lifetime.ts';
import { BUCKET_WIDTH, CELLS_MAX, Percentile } from '../../src/engine/window/percentile.ts';
import { SlidingAverage } from '../../src/engine/window/sliding-average.ts';
import { SlidingExtreme } from '../../src/engine/window/sliding-extreme.ts';
import { EXACT_MARKS, PARTS_PER_WINDOW } from '../../src/engine/window/sliding-sum.ts';
import { START_MS } from '../engine/harness.ts';
import { SumOracle } from './window-oracle.ts';
import { ADDING, COARSENED, expectSame, story } from './window-story.ts';

interface Mark {
  atMs: number;
  number: number;
  standing: Standing;
}

function numbersIn(marks: readonly Mark[], nowMs: number, withinMs: number, standing?: Standing): number[] {
  return marks
    .filter((mark) => mark.atMs > nowMs - withinMs && (standing === undefined || mark.standing === standing))
    .map(({ number }) => number);
}

function average(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

describe('SlidingAverage', () => {
  it('is the average of all marks of the window, or of one that is up to 1/60 longer', () => {
    fc.assert(
      fc.property(story('integers', 0, ADDING), ({ withinMs, happenings }) => {
        const window = new SlidingAverage(withinMs);
        const oracle = new SumOracle(withinMs, EXACT_MARKS);
        const marks: Mark[] = [];
        let nowMs = START_MS;
        for (const [i, { afterMs, weight, standing }] of happenings.entries()) {
          nowMs += afterMs;
          window.add(nowMs, weight, standing);
          oracle.add(nowMs, weight, standing);
          marks.push({ atMs: nowMs, number: weight, standing });
          if (i % 5 !== 0) continue;
          const longer = numbersIn(marks, nowMs, withinMs + withinMs / PARTS_PER_WINDOW);
          const shortest = numbersIn(marks, nowMs, withinMs).length;
          // The marks stand in order of time: what is counted is a run that ends now.
          const possible = Array.from({ length: longer.length - shortest + 1 }, (_, more) =>
            average(longer.slice(longer.length - shortest - more)),
          );
          const found = window.total(nowMs);
          if (!possible.some((one) => Math.abs(one - found) <= 1e-9 * one)) expect(possible).toContain(found);
          // As the two sums are: a part that was made while the window was full outlives the crowd.
          if (oracle.isExact(nowMs)) expectSame('fractions', found, possible[0]!);
          expect(window.size()).toBeLessThanOrEqual(2 * (EXACT_MARKS + PARTS_PER_WINDOW + 1));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(['min', 'max'] as const)('SlidingExtreme %s', (extreme) => {
  const of = (numbers: readonly number[]) => Math[extreme](...numbers);
  /** Whether `a` is at least as far out as `b`. */
  const reaches = (a: number, b: number) => (extreme === 'max' ? a >= b : a <= b);

  it('is exact while few marks can become the extreme; else it stands up to 1/60 too long', () => {
    fc.assert(
      fc.property(story('fractions', 0, ADDING), ({ withinMs, happenings }) => {
        const window = new SlidingExtreme(withinMs, extreme);
        const marks: Mark[] = [];
        let nowMs = START_MS;
        for (const { afterMs, weight, standing } of happenings) {
          nowMs += afterMs;
          // Falling for a long while, so that many stand on the stairs.
          const number = marks.length % 300 < 200 ? (1e6 - marks.length) * (extreme === 'max' ? 1 : -1) : weight;
          window.add(nowMs, number, standing);
          marks.push({ atMs: nowMs, number, standing });
          const longerMs = withinMs + withinMs / PARTS_PER_WINDOW;
          const exact = numbersIn(marks, nowMs, withinMs);
          if (!reaches(window.total(nowMs), of(exact))) expect(window.total(nowMs)).toBe(of(exact));
          expect(reaches(of(numbersIn(marks, nowMs, longerMs)), window.total(nowMs))).toBe(true);
          if (exact.length <= EXACT_MARKS && numbersIn(marks, nowMs, 2 * withinMs).length <= EXACT_MARKS)
            expect(window.total(nowMs)).toBe(of(exact));
          const placed = numbersIn(marks, nowMs, withinMs, 'placed');
          const placedLonger = numbersIn(marks, nowMs, longerMs, 'placed');
          if (placedLonger.length === 0) expect(window.placed(nowMs)).toBeNaN();
          else if (placed.length > 0) {
            expect(reaches(window.placed(nowMs), of(placed))).toBe(true);
            expect(reaches(of(placedLonger), window.placed(nowMs))).toBe(true);
          }
          expect(window.size()).toBeLessThanOrEqual(2 * (EXACT_MARKS + PARTS_PER_WINDOW + 1));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('only ever reaches further when it gets coarser', () => {
    fc.assert(
      fc.property(story('fractions', 0, COARSENED), ({ withinMs, happenings }) => {
        const window = new SlidingExtreme(withinMs, extreme);
        const marks: Mark[] = [];
        let nowMs = START_MS;
        for (const { afterMs, weight, standing, what } of happenings) {
          nowMs += afterMs;
          window.add(nowMs, weight, standing);
          marks.push({ atMs: nowMs, number: weight, standing });
          if (what === 'coarsen') window.coarsen();
          expect(reaches(window.total(nowMs), of(numbersIn(marks, nowMs, withinMs)))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('rests no kill on moved marks alone', () => {
    const window = new SlidingExtreme(1000, extreme);
    expect([window.total(0), window.placed(0)]).toEqual([0, 0]);
    window.add(0, 5, 'moved');
    expect([window.total(0), window.placed(0)]).toEqual([5, Number.NaN]);
    window.add(1, 7, 'placed');
    expect(window.placed(1)).toBe(7);
    expect([window.total(1001), window.placed(1001)]).toEqual([0, 0]);
  });
});

describe('over the life of a session', () => {
  it('LifetimeAverage and LifetimeExtreme take every number of it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (numbers) => {
        const features = [new LifetimeAverage(), new LifetimeExtreme('min'), new LifetimeExtreme('max')];
        for (const number of numbers) for (const feature of features) feature.add(0, number);
        expect(Math.abs(features[0]!.total() - average(numbers))).toBeLessThanOrEqual(1e-3);
        expect(features.slice(1).map((one) => one.total())).toEqual([Math.min(...numbers), Math.max(...numbers)]);
        for (const feature of features) feature.endLife();
        expect(features.map((one) => one.total())).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe('FadingSum', () => {
  it('halves: 2 to the power of minus x, to one part in 10^15, and exactly where x is whole', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: HALF_LIVES_KEPT, noNaN: true }), (times) => {
        expect(Math.abs(halved(times) / 2 ** -times - 1)).toBeLessThanOrEqual(1e-15);
        expect(halved(Math.floor(times))).toBe(2 ** -Math.floor(times));
      }),
      { numRuns: 2000 },
    );
  });

  it('is the sum of all marks, each halved by its age, and does not change by being looked at', () => {
    fc.assert(
      fc.property(story('fractions', 0, ADDING), ({ withinMs, happenings }) => {
        const seen = new FadingSum(withinMs);
        const alone = new FadingSum(withinMs);
        const marks: Mark[] = [];
        let nowMs = START_MS;
        for (const { afterMs, weight, standing } of happenings) {
          nowMs += afterMs;
          seen.total(nowMs - afterMs / 2);
          for (const sum of [seen, alone]) sum.add(nowMs, weight, standing);
          marks.push({ atMs: nowMs, number: weight, standing });
        }
        const laterMs = nowMs + Math.floor(withinMs / 7);
        const left = marks.reduce((sum, mark) => {
          return sum + mark.number * 2 ** (-(laterMs - mark.atMs) / (withinMs / HALF_LIVES_KEPT));
        }, 0);
        // What is older than all half-lives may be gone: a millionth of it.
        const all = marks.reduce((sum, { number }) => sum + number, 0);
        expect(Math.abs(alone.total(laterMs) - left)).toBeLessThanOrEqual(1e-6 * all);
        expect(Object.is(seen.total(laterMs), alone.total(laterMs))).toBe(true);
        expect(alone.placed(laterMs)).toBeLessThanOrEqual(alone.total(laterMs));
        expect(alone.total(nowMs + withinMs)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('Percentile', () => {
  const ranked = (numbers: readonly number[], percent: number) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[Math.max(1, Math.ceil((percent * sorted.length) / 100)) - 1]!;
  };

  it.each([1, -1])('is that of a window up to 1/60 longer, and less than 1/16 too high (sign %d)', (sign) => {
    fc.assert(
      fc.property(
        story('fractions', 0, ADDING),
        fc.integer({ min: 0, max: 100 }),
        ({ withinMs, happenings }, percent) => {
          const window = new Percentile(withinMs, percent);
          const marks: Mark[] = [];
          let nowMs = START_MS;
          for (const [i, { afterMs, weight, standing }] of happenings.entries()) {
            nowMs += afterMs;
            // Of few buckets, so that none is merged.
            const number = sign * (1 + (weight % 0.1875));
            window.add(nowMs, number, standing);
            marks.push({ atMs: nowMs, number, standing });
            if (i % 5 !== 0) continue;
            const longer = numbersIn(marks, nowMs, withinMs + withinMs / PARTS_PER_WINDOW);
            const shortest = numbersIn(marks, nowMs, withinMs).length;
            const possible = Array.from({ length: longer.length - shortest + 1 }, (_, more) =>
              ranked(longer.slice(longer.length - shortest - more), percent),
            );
            const found = window.total(nowMs);
            const fits = (one: number) => found >= one && found - one < BUCKET_WIDTH * Math.abs(one);
            if (!possible.some(fits)) expect(possible).toContain(found);
            if (numbersIn(marks, nowMs, 2 * withinMs).length <= EXACT_MARKS) expect(found).toBe(possible[0]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps few cells of whatever numbers, and only ever errs to higher', () => {
    fc.assert(
      fc.property(story('fractions', 0, COARSENED), fc.integer({ min: 0, max: 100 }), ({ happenings }, percent) => {
        const window = new Percentile(Number.POSITIVE_INFINITY, percent);
        const numbers: number[] = [];
        for (const { weight, standing, what } of happenings) {
          const number = numbers.length % 3 === 0 ? -weight : weight;
          window.add(START_MS, number, standing);
          numbers.push(number);
          if (what === 'coarsen') window.coarsen();
          const exact = ranked(numbers, percent);
          if (!(window.total(START_MS) >= exact)) expect(window.total(START_MS)).toBe(exact);
          expect(window.total(START_MS)).toBeLessThanOrEqual(Math.max(...numbers));
          expect(window.size()).toBeLessThanOrEqual(CELLS_MAX + EXACT_MARKS + PARTS_PER_WINDOW + 1);
        }
      }),
      { numRuns: 30 },
    );
  });
});

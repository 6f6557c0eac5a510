import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FadingSum } from '../../src/engine/window/fading-sum.ts';
import type { Feature } from '../../src/engine/window/feature.ts';
import { FirstSeen } from '../../src/engine/window/first-seen.ts';
import { LifetimeAverage, LifetimeDistinct, LifetimeExtreme, LifetimeSum } from '../../src/engine/window/lifetime.ts';
import { Percentile } from '../../src/engine/window/percentile.ts';
import { SlidingAverage } from '../../src/engine/window/sliding-average.ts';
import { EXACT_VALUES, SlidingDistinct } from '../../src/engine/window/sliding-distinct.ts';
import { SlidingExtreme } from '../../src/engine/window/sliding-extreme.ts';
import { EXACT_MARKS, PARTS_PER_WINDOW, SlidingSum } from '../../src/engine/window/sliding-sum.ts';
import { START_MS } from '../engine/harness.ts';
import { DistinctOracle, SumOracle } from './window-oracle.ts';
import {
  ADDING,
  add,
  bytesOf,
  COARSENED,
  CODED,
  expectBetween,
  expectSame,
  type Happening,
  story,
  throughBytes,
} from './window-story.ts';

const PARTS_MAX = EXACT_MARKS + PARTS_PER_WINDOW + 1;

describe('SlidingSum', () => {
  it('is of whole marks again once the last fraction has expired, wherever it was read from bytes', () => {
    const marks = [
      [0, 0.25],
      [500, 1],
      [900, 225],
    ] as const;
    const [kept, written] = [new SlidingSum(1000), new SlidingSum(1000)];
    for (const window of [kept, written]) {
      for (const [afterMs, weight] of marks) window.add(START_MS + afterMs, weight, 'placed');
      window.total(START_MS + 1000);
    }
    const read = throughBytes(written) as SlidingSum;
    for (const window of [kept, read]) window.total(START_MS + 1500);
    expect(bytesOf(kept)).toEqual(bytesOf(read));
  });

  it.each(['integers', 'fractions'] as const)(
    'of %s: exact while no mark found 32 others in the window; else from all of `within` to all of 61/60 of it',
    (weights) => {
      fc.assert(
        fc.property(story(weights, 0, ADDING), ({ withinMs, happenings }) => {
          const window = new SlidingSum(withinMs);
          const oracle = new SumOracle(withinMs, EXACT_MARKS);
          let nowMs = START_MS;
          for (const { afterMs, weight, standing } of happenings) {
            nowMs += afterMs;
            window.add(nowMs, weight, standing);
            oracle.add(nowMs, weight, standing);
            if (oracle.isExact(nowMs)) {
              expectSame(weights, window.total(nowMs), oracle.within(nowMs, withinMs));
              expectSame(weights, window.placed(nowMs), oracle.within(nowMs, withinMs, 'placed'));
            } else {
              const longerMs = withinMs + withinMs / PARTS_PER_WINDOW;
              expectBetween(oracle.within(nowMs, withinMs), window.total(nowMs), oracle.within(nowMs, longerMs));
              expectBetween(
                oracle.within(nowMs, withinMs, 'placed'),
                window.placed(nowMs),
                oracle.within(nowMs, longerMs, 'placed'),
              );
            }
            if (window.size() > PARTS_MAX) expect(window.size()).toBeLessThanOrEqual(PARTS_MAX);
          }
          // Also when nothing is added any more.
          for (const share of [0.3, 0.5, 0.9, 1, 61 / 60]) {
            const laterMs = nowMs + Math.ceil(share * withinMs);
            const longerMs = withinMs + withinMs / PARTS_PER_WINDOW;
            expectBetween(oracle.within(laterMs, withinMs), window.total(laterMs), oracle.within(laterMs, longerMs));
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  it('keeps 32 marks of one moment alone, and lets the further ones share', () => {
    const window = new SlidingSum(60_000);
    const sizes = Array.from({ length: 34 }, () => {
      window.add(START_MS, 1, 'placed');
      return window.size();
    });
    expect(sizes).toEqual([...Array.from({ length: 32 }, (_, i) => i + 1), 32, 32]);
  });

  it('loses no small weight beside a huge one that expires', () => {
    const window = new SlidingSum(1000);
    window.add(0, 2 ** 53, 'placed');
    window.add(500, 1, 'placed');
    window.add(500, 0.5, 'moved');
    expect(window.total(1000)).toBe(1.5);
    expect(window.placed(1000)).toBe(1);
  });

  it('does not count a moved mark as placed, whatever its weight', () => {
    const window = new SlidingSum(1000);
    window.add(0, 2 ** 53, 'moved');
    window.add(0, 1, 'placed');
    expect(window.placed(0)).toBe(1);
  });
});

/** Three standard errors of the sketch below, where what it answers lies three above its estimate: 6 in all. */
const leastError = (values: number) => Math.ceil(0.2 * values);
const mostError = (values: number) => Math.ceil(1.4 * values) + (values > 0 ? 2 : 0);

describe('SlidingDistinct', () => {
  it.each([
    ['few values', 40],
    ['more values than it tells apart', 600],
  ])(
    'of %s: exact while no value found 256 others; about those that did are estimated, and it errs to more',
    (_, values) => {
      fc.assert(
        fc.property(story('integers', values, ADDING), ({ withinMs, happenings }) => {
          const window = new SlidingDistinct(withinMs);
          const oracle = new DistinctOracle(withinMs, EXACT_VALUES);
          let nowMs = START_MS;
          for (const [i, { afterMs, value, standing }] of happenings.entries()) {
            nowMs += afterMs;
            window.add(nowMs, value, standing);
            oracle.add(nowMs, value, standing);
            if (i % 7 !== 0) continue;
            const beyond = oracle.crowded(nowMs);
            const all = oracle.within(nowMs);
            const placed = oracle.within(nowMs, 'placed');
            expectBetween(all - leastError(beyond), window.total(nowMs), all + mostError(beyond));
            expectBetween(placed - leastError(beyond), window.placed(nowMs), placed + mostError(beyond));
            expect(window.size()).toBeLessThanOrEqual(EXACT_VALUES + 2 * 256);
          }
        }),
        { numRuns: 30 },
      );
    },
  );
});

describe('over the life of a session', () => {
  it('LifetimeSum is the sum, LifetimeDistinct exact up to 256 values and about right beyond', () => {
    fc.assert(
      fc.property(story('fractions', 600, CODED), ({ happenings }) => {
        let sum: Feature = new LifetimeSum();
        let distinct: Feature = new LifetimeDistinct();
        const values = new Set<number>();
        let added = 0;
        for (const happening of happenings) {
          if (happening.what === 'codec') {
            sum = throughBytes(sum);
            distinct = throughBytes(distinct);
          }
          add(sum, 0, happening);
          add(distinct, 0, happening);
          values.add(happening.value);
          added += happening.weight;
        }
        expectSame('fractions', sum.total(0), added);
        const beyond = Math.max(0, values.size - EXACT_VALUES);
        expectBetween(
          values.size - leastError(beyond),
          distinct.total(0),
          Math.min(values.size, EXACT_VALUES) + mostError(beyond),
        );
        for (const feature of [sum, distinct]) {
          feature.endLife();
          expect(feature.total(0)).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });
});

const FORMS: [string, (withinMs: number) => Feature][] = [
  ['SlidingSum', (withinMs) => new SlidingSum(withinMs)],
  ['SlidingDistinct', (withinMs) => new SlidingDistinct(withinMs)],
  ['LifetimeSum', () => new LifetimeSum()],
  ['LifetimeDistinct', () => new LifetimeDistinct()],
];
const NUMBER_FORMS: typeof FORMS = [
  ['SlidingAverage', (withinMs) => new SlidingAverage(withinMs)],
  ['SlidingExtreme max', (withinMs) => new SlidingExtreme(withinMs, 'max')],
  ['SlidingExtreme min', (withinMs) => new SlidingExtreme(withinMs, 'min')],
  ['LifetimeAverage', () => new LifetimeAverage()],
  ['Percentile', (withinMs) => new Percentile(withinMs, 90)],
  ['LifetimeExtreme max', () => new LifetimeExtreme('max')],
  ['LifetimeExtreme min', () => new LifetimeExtreme('min')],
  ['FadingSum', (withinMs) => new FadingSum(withinMs)],
  ['FirstSeen', (withinMs) => new FirstSeen(withinMs, Number.POSITIVE_INFINITY)],
  ['FirstSeen with a horizon', (withinMs) => new FirstSeen(withinMs, 3 * withinMs)],
  ['FirstSeen over a life', () => new FirstSeen(Number.POSITIVE_INFINITY, 60_000)],
];

describe.each([...FORMS, ...NUMBER_FORMS])('%s', (_, create) => {
  it('goes on after its bytes as it would have without, to the last bit', () => {
    fc.assert(
      fc.property(story('fractions', 400, CODED), ({ withinMs, happenings }) => {
        const whole = create(withinMs);
        let coded = create(withinMs);
        let nowMs = START_MS;
        for (const happening of happenings) {
          nowMs += happening.afterMs;
          if (happening.what === 'codec') coded = throughBytes(coded);
          add(whole, nowMs, happening);
          add(coded, nowMs, happening);
          expect(Object.is(coded.total(nowMs), whole.total(nowMs))).toBe(true);
          if (happening.what === 'codec') expect(coded.placed(nowMs)).toBe(whole.placed(nowMs));
        }
        expect(bytesOf(coded)).toEqual(bytesOf(whole));
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(FORMS)('%s', (_, create) => {
  it('only ever counts more when it gets coarser', () => {
    fc.assert(
      fc.property(story('integers', 400, COARSENED), ({ withinMs, happenings }) => {
        const fine = create(withinMs);
        const coarse = create(withinMs);
        let nowMs = START_MS;
        for (const happening of happenings) {
          nowMs += happening.afterMs;
          add(fine, nowMs, happening);
          add(coarse, nowMs, happening);
          if (happening.what === 'coarsen') {
            const before = coarse.total(nowMs);
            const placed = coarse.placed(nowMs);
            const size = coarse.size();
            coarse.coarsen();
            expect(coarse.total(nowMs)).toBeGreaterThanOrEqual(before - hidden(coarse, before));
            expect(coarse.placed(nowMs)).toBeGreaterThanOrEqual(placed - hidden(coarse, placed));
            // Its first change of form may take the room of the new parts.
            const forms = isDistinct(coarse) ? 4 : 0;
            expect(coarse.size()).toBeLessThanOrEqual(size + forms);
          }
        }
        for (const afterMs of [0, withinMs / 2, withinMs - 1])
          expectAtLeast(trueTotal(fine, happenings, withinMs, nowMs + afterMs), coarse, nowMs + afterMs);
      }),
      { numRuns: 40 },
    );
  });
});

/** Values that a sketch may hide: some fall together. */
function hidden(feature: Feature, values: number): number {
  return isDistinct(feature) ? leastError(values) + 3 : 0;
}

function isDistinct(feature: Feature): boolean {
  return feature instanceof SlidingDistinct || feature instanceof LifetimeDistinct;
}

function expectAtLeast(least: number, feature: Feature, nowMs: number): void {
  expect(feature.total(nowMs)).toBeGreaterThanOrEqual(least - hidden(feature, least));
}

/** What every form must see at least: a fine window may itself be above it. */
function trueTotal(feature: Feature, happenings: Happening[], withinMs: number, nowMs: number): number {
  let atMs = START_MS;
  const live: Happening[] = [];
  for (const happening of happenings) {
    atMs += happening.afterMs;
    if (!Number.isFinite(feature.withinMs) || atMs > nowMs - withinMs) live.push(happening);
  }
  if (feature.holds === 'values') return new Set(live.map(({ value }) => value)).size;
  return live.reduce((sum, { weight }) => sum + weight, 0);
}

import fc from 'fast-check';
import { expect } from 'vitest';
import { formOf, readFeature } from '../../src/engine/plan/feature-kind.ts';
import { ByteReader, ByteWriter } from '../../src/engine/session/bytes.ts';
import type { Feature, Standing } from '../../src/engine/window/feature.ts';

/** What happens next to a window: time passes, then something is added, or it goes through bytes, or gets coarser. */
export interface Happening {
  afterMs: number;
  what: 'add' | 'codec' | 'coarsen';
  weight: number;
  value: number;
  standing: Standing;
}

export interface Story {
  withinMs: number;
  happenings: Happening[];
}

export type Weights = 'integers' | 'fractions';
const WEIGHTS: Record<Weights, fc.Arbitrary<number>> = {
  integers: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1e9 })),
  // From a fraction of a cent to more than a double can hold beside it.
  fractions: fc.oneof(
    fc.double({ min: 1e-6, max: 1e-3, noNaN: true }),
    fc.double({ min: 0.01, max: 1e6, noNaN: true }),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom(0.5, 2 ** 52, 2 ** 53),
  ),
};

/** Bursts, ties, a steady pace and long gaps, each for a while, as times of real sessions are. */
export function story(weights: Weights, values: number, what: fc.Arbitrary<Happening['what']>): fc.Arbitrary<Story> {
  const pace = fc.constantFrom(0, 0, 0.0002, 0.002, 0.02, 0.3);
  return fc.constantFrom(1000, 1234, 60_000, 599_999, 86_400_000).chain((withinMs) => {
    const spell = pace.chain((share) =>
      fc.array(
        fc.record({
          afterMs: fc.nat({ max: Math.floor(share * withinMs) }),
          what,
          weight: WEIGHTS[weights],
          value: fc.nat({ max: values }),
          standing: fc.constantFrom<Standing>('placed', 'placed', 'placed', 'moved'),
        }),
        { maxLength: 200, size: 'max' },
      ),
    );
    const gap = fc
      .nat({ max: 2 * withinMs })
      .map((afterMs): Happening[] => [{ afterMs, what: 'add', weight: 1, value: 0, standing: 'placed' }]);
    return fc
      .array(fc.oneof({ weight: 5, arbitrary: spell }, { weight: 1, arbitrary: gap }), { maxLength: 8, size: 'max' })
      .map((spells) => ({ withinMs, happenings: spells.flat() }));
  });
}

export const ADDING = fc.constantFrom<Happening['what']>('add');
export const CODED = fc.oneof(
  { weight: 9, arbitrary: ADDING },
  { weight: 1, arbitrary: fc.constant('codec' as const) },
);
export const COARSENED = fc.oneof(
  { weight: 30, arbitrary: ADDING },
  { weight: 1, arbitrary: fc.constant('coarsen' as const) },
);

export function bytesOf(feature: Feature): Uint8Array {
  const to = new ByteWriter();
  feature.write(to);
  return to.finish();
}

export function throughBytes(feature: Feature): Feature {
  const from = new ByteReader(bytesOf(feature));
  const read = readFeature(formOf(feature), from, feature.withinMs);
  expect(from.rest).toBe(0);
  return read;
}

export function add(feature: Feature, nowMs: number, { weight, value, standing }: Happening): void {
  if (feature.holds === 'weights') feature.add(nowMs, weight, standing);
  else if (feature.holds !== 'steps') feature.add(nowMs, value, standing);
}

/** Equal; sums of fractions up to rounding. */
export function expectSame(weights: Weights, found: number, wanted: number): void {
  const rounding = weights === 'integers' ? 0 : 1e-9 * Math.abs(wanted);
  if (!(Math.abs(found - wanted) <= rounding)) expect(found).toBe(wanted);
}

export function expectBetween(low: number, found: number, high: number): void {
  if (!(found >= low * (1 - 1e-9) && found <= high * (1 + 1e-9))) expect.fail(`${found} is not from ${low} to ${high}`);
}

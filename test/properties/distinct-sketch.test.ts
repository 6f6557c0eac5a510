import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/engine/fingerprint.ts';
import { ByteReader, ByteWriter } from '../../src/engine/session/bytes.ts';
import { DistinctSketch } from '../../src/engine/window/distinct-sketch.ts';
import { START_MS } from '../engine/harness.ts';

const WITHIN_MS = 60_000;

function bytesOf(sketch: DistinctSketch): Uint8Array {
  const to = new ByteWriter();
  sketch.write(to);
  return to.finish();
}

/** Bursts of values, some of them again and again, over several windows. */
const sightings = fc.array(fc.record({ afterMs: fc.constantFrom(0, 0, 1, 40, 3000), value: fc.nat({ max: 5000 }) }), {
  maxLength: 3000,
  size: 'max',
});

/** At the times of a session clock. */
function timed(drawn: readonly { afterMs: number; value: number }[]): { atMs: number; value: number }[] {
  let atMs = START_MS;
  return drawn.map(({ afterMs, value }) => {
    atMs += afterMs;
    return { atMs, value: fingerprint(`value ${value}`) };
  });
}

function sketchOf(seen: readonly { atMs: number; value: number }[]): DistinctSketch {
  const sketch = new DistinctSketch(WITHIN_MS, START_MS);
  for (const { atMs, value } of seen) sketch.add(atMs, value);
  return sketch;
}

describe('a sketch of different values', () => {
  it.each([1, 2, 10, 100, 400, 700, 1000, 3000, 10_000, 100_000, 1_000_000])(
    'of %d: not below, 40 %% above at most',
    (count) => {
      const sketch = new DistinctSketch(Number.POSITIVE_INFINITY, START_MS);
      for (let i = 0; i < count; i++) sketch.add(0, fingerprint(`object ${i}`));
      expect(sketch.total(0)).toBeGreaterThanOrEqual(count);
      expect(sketch.total(0)).toBeLessThanOrEqual(Math.ceil(1.4 * count));
      expect(bytesOf(sketch).length).toBeLessThan(4 * 256 + 16);
    },
  );

  it('lies below the truth in about one of 700 cases, by its three standard errors', () => {
    let [below, far] = [0, 0];
    for (let run = 0; run < 2000; run++) {
      const sketch = new DistinctSketch(Number.POSITIVE_INFINITY, START_MS);
      for (let i = 0; i < 1500; i++) sketch.add(0, fingerprint(`${run} ${i}`));
      if (sketch.total(0) < 1500) below++;
      if (sketch.total(0) > 1500 * 1.4) far++;
    }
    expect(below).toBeLessThan(20);
    expect(far).toBeLessThan(20);
  });

  it('of fewer registers is as if it had had so few from the beginning, and still errs to more', () => {
    const sketch = new DistinctSketch(Number.POSITIVE_INFINITY, START_MS);
    for (let i = 0; i < 20_000; i++) sketch.add(0, fingerprint(`object ${i}`));
    for (let bits = 8; bits > 4; bits--) sketch.coarsen();
    const folded = bytesOf(sketch);
    for (let i = 0; i < 20_000; i++) sketch.add(0, fingerprint(`object ${i}`));
    expect(bytesOf(sketch)).toEqual(folded);
    expect(sketch.total(0)).toBeGreaterThan(20_000);
    expect(sketch.total(0)).toBeLessThan(60_000);
  });

  it('scatters values by its seed: those that fall on one register under one do not under another', () => {
    const sketchUnder = (seed: number, values: readonly number[]) => {
      const sketch = new DistinctSketch(WITHIN_MS, seed);
      for (const value of values) sketch.add(START_MS, value);
      return sketch;
    };
    const [first] = [fingerprint('object 0')];
    const chosen = Array.from({ length: 50_000 }, (_, i) => fingerprint(`object ${i}`)).filter(
      (value) => sketchUnder(1, [first!, value]).total(START_MS) === 1,
    );
    expect(chosen.length).toBeGreaterThan(100);
    expect(sketchUnder(1, chosen).total(START_MS)).toBe(1);
    expect(sketchUnder(START_MS, chosen).total(START_MS)).toBeGreaterThan(0.8 * chosen.length);
  });

  it('counts a value once, however often it comes', () => {
    const sketch = new DistinctSketch(WITHIN_MS, START_MS);
    for (let i = 0; i < 10_000; i++) sketch.add(START_MS + i, i % 3);
    expect(sketch.total(START_MS + 10_000)).toBe(3);
  });

  it('sees what is in the window, and nothing of what has left it: as one that never saw it', () => {
    fc.assert(
      fc.property(sightings, fc.nat({ max: 2 * WITHIN_MS }), (drawn, laterMs) => {
        const seen = timed(drawn);
        const nowMs = (seen.at(-1)?.atMs ?? START_MS) + laterMs;
        const inWindow = seen.filter(({ atMs }) => atMs > nowMs - WITHIN_MS);
        expect(sketchOf(seen).total(nowMs)).toBe(sketchOf(inWindow).total(nowMs));
      }),
      { numRuns: 50 },
    );
  });

  it('merged with another is that of both, byte for byte, in either order and whatever the order of times', () => {
    fc.assert(
      fc.property(sightings, fc.infiniteStream(fc.boolean()), (drawn, sides) => {
        const seen = timed(drawn);
        const left = [...sides.take(seen.length)];
        const [one, other] = [true, false].map((side) => seen.filter((_, at) => left[at] === side));
        const merged = sketchOf(one!);
        merged.merge(sketchOf(other!));
        const again = sketchOf(other!);
        again.merge(sketchOf(one!));
        expect(bytesOf(merged)).toEqual(bytesOf(sketchOf(seen)));
        expect(bytesOf(again)).toEqual(bytesOf(merged));
        expect(bytesOf(sketchOf([...seen].reverse()))).toEqual(bytesOf(merged));
      }),
      { numRuns: 50 },
    );
  });

  it('comes back from its bytes, and made coarser it sees no value shorter', () => {
    fc.assert(
      fc.property(sightings, fc.nat({ max: WITHIN_MS }), (drawn, laterMs) => {
        const seen = timed(drawn);
        const nowMs = (seen.at(-1)?.atMs ?? START_MS) + laterMs;
        const sketch = sketchOf(seen);
        const back = DistinctSketch.read(new ByteReader(bytesOf(sketch)), WITHIN_MS);
        expect(bytesOf(back)).toEqual(bytesOf(sketch));
        back.coarsen();
        // Where it has halved its registers already, values fall together.
        expect(back.total(nowMs)).toBeGreaterThanOrEqual(0.8 * sketch.total(nowMs) - 3);
        for (let i = 0; i < 9; i++) back.coarsen();
        expect(bytesOf(back).length).toBeLessThan(200);
        const values = new Set(seen.filter(({ atMs }) => atMs > nowMs - WITHIN_MS).map(({ value }) => value)).size;
        expect(back.total(nowMs)).toBeGreaterThanOrEqual(0.35 * values - 6);
      }),
      { numRuns: 50 },
    );
  });
});

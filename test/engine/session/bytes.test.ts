import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/engine/session/bytes.ts';

function written(write: (to: ByteWriter) => void): Uint8Array {
  const to = new ByteWriter(1);
  write(to);
  expect(to.length).toBe(to.finish().length);
  return to.finish();
}

describe('counts', () => {
  const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 49, 2 ** 53 - 1];

  it.each(edges)('%d comes back in as few bytes as it needs', (value) => {
    const bytes = written((to) => to.count(value));
    expect(new ByteReader(bytes).count()).toBe(value);
    expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
  });

  it('are all from 0 to 2^53', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { maxLength: 200, size: 'max' }), (values) => {
        const from = new ByteReader(written((to) => values.forEach((value) => void to.count(value))));
        expect(values.map(() => from.count())).toEqual(values);
        expect(from.rest).toBe(0);
      }),
    );
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (value) => {
    expect(() => written((to) => to.count(value))).toThrow(RangeError);
  });

  it.each([
    ['more than 2^53', [255, 255, 255, 255, 255, 255, 255, 127]],
    ['without an end', Array.from({ length: 5000 }, () => 255)],
    ['zeros without an end', Array.from({ length: 5000 }, () => 128)],
  ])('%s are refused', (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).count()).toThrow(RangeError);
  });
});

describe('numbers and texts', () => {
  it('come back to the last bit', () => {
    const one = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.constantFrom(-0, 2 ** 53, 5e-324, Number.NaN),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(one, fc.string({ unit: 'grapheme', maxLength: 300 }), fc.constant(undefined)), {
          maxLength: 200,
          size: 'max',
        }),
        (values) => {
          const bytes = written((to) => {
            for (const value of values) {
              if (typeof value === 'number') to.number(value);
              else to.optionalText(value);
            }
          });
          const from = new ByteReader(bytes);
          for (const value of values) {
            expect(Object.is(typeof value === 'number' ? from.number() : from.optionalText(), value)).toBe(true);
          }
          expect(from.rest).toBe(0);
        },
      ),
    );
  });

  it('halves of surrogate pairs come back too: a text that changed would change what is said of it', () => {
    const units = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(units, fc.constantFrom('a\ud800b', '\udc00', '\ud83d\ude00', '\u00ff', '')), (text) => {
        const from = new ByteReader(written((to) => to.text(text)));
        expect(from.text()).toBe(text);
        expect(from.rest).toBe(0);
      }),
    );
  });

  it.each<[string, (from: ByteReader) => unknown, number[]]>([
    ['a text longer than the rest', (from) => from.text(), [4, 65]],
    ['a text of 2^53 bytes', (from) => from.text(), [255, 255, 255, 255, 255, 255, 255, 15]],
    ['more things than bytes', (from) => from.length(), [2, 0]],
    ['a double cut short', (from) => from.number(), [1, 0, 0]],
    ['a word cut short', (from) => from.uint32(), [1, 0, 0]],
    ['nothing', (from) => from.byte(), []],
  ])('%s: a RangeError', (_, read, bytes) => {
    expect(() => read(new ByteReader(Uint8Array.from(bytes)))).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.ts';

describe('canonicalJson', () => {
  it.each([
    [
      'keys by UTF-16 code units',
      { é: 1, z: 2, '€': 3, A: 4, '\u{1f600}': 5, '\ufb33': 6, '1': 7, '': 8 },
      '{"":8,"1":7,"A":4,"z":2,"é":1,"€":3,"\u{1f600}":5,"\ufb33":6}',
    ],
    [
      'numbers as ECMAScript writes them',
      [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0, 1e21],
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21]',
    ],
    ['the escapes of RFC 8785', '\u20ac$\u000f\nA\'B"\\\\"/', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'],
    ['literals', [null, true, false], '[null,true,false]'],
    ['nesting', { b: { y: [], x: {} }, a: [[{}]] }, '{"a":[[{}]],"b":{"x":{},"y":[]}}'],
    ['a lone surrogate as its escape', { '\udc00': '\ud800' }, '{"\\udc00":"\\ud800"}'],
    ['no field for undefined', { a: undefined, b: 1 }, '{"b":1}'],
  ])('writes %s', (_, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([
    ['NaN', { a: Number.NaN }],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', undefined],
    ['an undefined item', [undefined]],
    ['a hole', new Array(1)],
    ['a bigint', 1n],
    ['a function', () => 0],
    ['a date', new Date(0)],
    ['bytes', new Uint8Array(1)],
  ])('throws on %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it('reads back as the same value, and is the same for every order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

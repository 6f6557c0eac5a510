import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, parseInstant, RFC3339 } from '../../src/domain/instant.ts';

describe('parseInstant', () => {
  it.each([
    '1970-01-01T00:00:00Z',
    '2026-11-23T10:15:30.123Z',
    '2026-11-23T10:15:30.1Z',
    '2026-11-23T10:15:30.12+05:30',
    '2026-11-23T00:15:30-23:59',
    '2024-02-29T23:59:59.999Z',
    '2000-02-29T00:00:00+00:00',
    '1900-03-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-12-31T23:59:59Z',
    '9999-12-31T23:59:59.999Z',
    '1969-12-31T23:59:59.999Z',
    '2026-12-31T00:00:00-00:00',
  ])('reads %s as Date does', (text) => {
    expect(parseInstant(text)).toBe(Date.parse(text));
  });

  it.each([
    ['2026-11-23T10:15:30.123456789Z', 1_795_428_930_123],
    ['2026-11-23T10:15:30.9999Z', 1_795_428_930_999],
  ])('cuts %s off at the millisecond', (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    ['no such day', '2026-02-29T10:15:30Z'],
    ['no such day in a year of a century', '1900-02-29T10:15:30Z'],
    ['the 31st of a short month', '2026-04-31T10:15:30Z'],
    ['month 13', '2026-13-01T10:15:30Z'],
    ['month 0', '2026-00-01T10:15:30Z'],
    ['day 0', '2026-01-00T10:15:30Z'],
    ['hour 24', '2026-11-23T24:00:00Z'],
    ['a leap second', '2026-12-31T23:59:60Z'],
    ['no zone', '2026-11-23T10:15:30'],
    ['a zone without colon', '2026-11-23T10:15:30+0100'],
    ['zone hour 24', '2026-11-23T10:15:30+24:00'],
    ['lower case', '2026-11-23t10:15:30z'],
    ['a space', '2026-11-23 10:15:30Z'],
    ['ten decimals', '2026-11-23T10:15:30.0123456789Z'],
    ['a dot without decimals', '2026-11-23T10:15:30.Z'],
    ['something behind', '2026-11-23T10:15:30Z '],
    ['something before', ' 2026-11-23T10:15:30Z'],
    ['a sign', '+2026-11-23T10:15:30Z'],
    ['another colon', '2026-11-23T10-15:30Z'],
    ['a date', '2026-11-23'],
    ['digits of another script', '２026-11-23T10:15:30Z'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseInstant(text)).toBeNaN();
  });

  const anyInstant = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });

  it('undoes formatInstant', () => {
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(formatInstant(at.getTime())).toBe(at.toISOString());
        expect(parseInstant(at.toISOString())).toBe(at.getTime());
      }),
      { numRuns: 5000 },
    );
  });

  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  const field = (max: number, width = 2) => fc.integer({ min: 0, max }).map((value) => pad(value, width));
  const shaped = fc
    .tuple(
      fc.oneof(field(9999, 4), fc.constantFrom('1900', '2000', '2023', '2024')),
      field(13),
      field(32),
      field(24),
      field(60),
      field(60),
      fc.constantFrom('', '.0', '.123', '.999999999'),
      fc.constantFrom('Z', '+00:00', '-05:30', '+23:59', '+24:00', '+05:60', ''),
    )
    .map(([y, mo, d, h, mi, s, fraction, zone]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${fraction}${zone}`);

  it('agrees with Date on every text of that shape, where Date is as strict as a calendar', () => {
    fc.assert(
      fc.property(shaped, (text) => {
        const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
        // Date.parse rolls the 31st of a short month over and takes 24:00 and a text without zone.
        const inMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
        const strict = RFC3339.test(text) && day <= inMonth;
        expect(parseInstant(text)).toBe(strict ? Date.parse(text) : Number.NaN);
      }),
      { numRuns: 20_000 },
    );
  });

  it('never accepts what is not of the form', () => {
    const near = fc
      .tuple(shaped, fc.nat({ max: 30 }), fc.string({ maxLength: 2 }), fc.nat({ max: 2 }))
      .map(([text, at, put, cut]) => text.slice(0, at) + put + text.slice(at + cut));
    fc.assert(
      fc.property(near, (text) => {
        if (!RFC3339.test(text)) expect(parseInstant(text)).toBeNaN();
      }),
      { numRuns: 20_000 },
    );
  });
});

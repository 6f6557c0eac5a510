import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Casing, compileText, compileTextPart, compileTexts } from '../../../src/engine/match/text-pattern.ts';

describe('plain strings, as Sigma reads them', () => {
  it.each<[pattern: string, text: string, holds: boolean]>([
    ['delete_email', 'delete_email', true],
    ['delete_email', 'Delete_EMAIL', true],
    ['delete_email', 'delete_emails', false],
    ['', '', true],
    ['', 'x', false],
    ['*', '', true],
    ['*', 'anything\nat all', true],
    ['delete_*', 'delete_', true],
    ['delete_*', 'undelete_', false],
    ['*_email', 'send_email', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'abbc', false],
    ['?', '', false],
    ['??*', 'a', false],
    ['*?b', 'bb', true],
    // `\` escapes `*`, `?` and `\`; before anything else it is itself.
    ['a\\*c', 'a*c', true],
    ['a\\*c', 'abc', false],
    ['a\\?c', 'a?c', true],
    ['a\\?c', 'abc', false],
    ['C:\\temp', 'c:\\TEMP', true],
    ['C:\\\\temp', 'c:\\temp', true],
    ['dir\\\\*', 'dir\\file', true],
    ['dir\\\\*', 'dir*', false],
    ['dir\\\\\\*', 'dir\\*', true],
    ['dir\\\\\\*', 'dir\\file', false],
    ['\\\\\\\\', '\\\\', true],
    ['end\\', 'end\\', true],
    // Characters of regular expressions mean nothing.
    ['a.c', 'abc', false],
    ['(a|b)+', '(a|b)+', true],
    // One character is one code point, and a text matches itself whatever its letters do when lowered.
    ['a?c', 'a😀c', true],
    ['a??c', 'a😀c', false],
    ['*?', '😀', true],
    ['ΟΔΟΣ*', 'ΟΔΟΣ', true],
    ['*ΟΔΟΣ', 'οδος', true],
    ['𐐀*', '𐐨x', true],
    ['ÄÖ*', 'äöü', true],
  ])('%j matches %j: %s', (pattern, text, holds) => expect(compileText(pattern, 'folded')(text)).toBe(holds));

  it.each<[string, string, boolean]>([
    ['Delete*', 'Delete_x', true],
    ['Delete*', 'delete_x', false],
    ['ab', 'aB', false],
  ])('cased: %j matches %j: %s', (pattern, text, holds) => expect(compileText(pattern, 'cased')(text)).toBe(holds));

  it.each<['contains' | 'startswith' | 'endswith', string, string, boolean]>([
    ['contains', 'mail', 'send_EMAIL_now', true],
    ['contains', 'm*l', 'send_email', true],
    ['contains', '\\*', 'a*b', true],
    ['contains', '\\*', 'ab', false],
    ['startswith', 'send', 'SEND_email', true],
    ['startswith', 'send', 'resend', false],
    ['startswith', '*send', 'resend_x', true],
    ['endswith', 'mail', 'send_email', true],
    ['endswith', 'mail', 'mailer', false],
    ['endswith', '?mail', 'mail', false],
  ])('%s %j of %j: %s', (place, pattern, text, holds) =>
    expect(compileTextPart(pattern, place, 'folded')(text)).toBe(holds),
  );
});

describe('against a backtracking oracle', () => {
  const piece = fc.constantFrom('a', 'b', 'A', '*', '?', '\\', '\\*', '\\?', '\\\\', '😀', 'Σ', 'ς', '**', '?*');
  const pattern = fc.array(piece, { maxLength: 10, size: 'max' }).map((parts) => parts.join(''));
  const letter = fc.constantFrom('a', 'b', 'A', 'B', '*', '?', '\\', '😀', 'Σ', 'σ');
  const text = fc.array(letter, { maxLength: 12, size: 'max' }).map((parts) => parts.join(''));

  it.each<Casing>(['folded', 'cased'])('%s', (casing) => {
    fc.assert(
      fc.property(pattern, text, (wanted, found) => {
        expect(compileText(wanted, casing)(found)).toBe(oracle(wanted, found, casing));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each<Casing>(['folded', 'cased'])('several at once are any of them: %s', (casing) => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), text, (wanted, found) => {
        const any = wanted.some((one) => oracle(one, found, casing));
        expect(compileTexts(wanted, casing)(found)).toBe(any);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a text without wildcards and backslashes matches itself', () => {
    const plain = fc.string({ unit: 'grapheme', maxLength: 60, size: 'max' }).filter((one) => !/[*?\\]/.test(one));
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        expect(compileText(before + after, 'folded')(before + after)).toBe(true);
        expect(compileText(`${before}*`, 'folded')(before + after)).toBe(true);
        expect(compileTextPart(after, 'endswith', 'folded')(before + after)).toBe(true);
        expect(compileTextPart(before, 'contains', 'folded')(after + before + after)).toBe(true);
      }),
    );
  });

  it('takes time in proportion, whatever the pattern', () => {
    const test = compileText(`${'*a'.repeat(60)}*b`, 'folded');
    expect(test('a'.repeat(2048))).toBe(false);
  }, 2000);
});

/** The textbook definition, by code points; exponential, so only for short texts. */
function oracle(pattern: string, text: string, casing: Casing): boolean {
  const fold = (one: string) => (casing === 'cased' ? one : one.toLowerCase().replaceAll('ς', 'σ'));
  const points = [...pattern];
  const tokens: { any: '*' | '?' | undefined; point: string }[] = [];
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!;
    const next = points[at + 1] ?? '';
    if (point === '\\' && next !== '' && '*?\\'.includes(next)) tokens.push({ any: undefined, point: points[++at]! });
    else if (point === '*' || point === '?') tokens.push({ any: point, point });
    else tokens.push({ any: undefined, point });
  }
  const found = [...text];
  const match = (p: number, t: number): boolean => {
    const token = tokens[p];
    if (token === undefined) return t === found.length;
    if (token.any === '*') return match(p + 1, t) || (t < found.length && match(p, t + 1));
    if (t >= found.length) return false;
    return (token.any === '?' || fold(token.point) === fold(found[t]!)) && match(p + 1, t + 1);
  };
  return match(0, 0);
}

import { describe, expect, it } from 'vitest';
import { parseShare, Share, shareText } from '../../src/domain/share.ts';

describe('a share of sessions', () => {
  it.each([
    ['1 in 10000', 0.0001, '1 in 10,000'],
    ['1 in 10_000', 0.0001, '1 in 10,000'],
    ['1 in 1,000,000', 0.000001, '1 in 1,000,000'],
    ['0.5%', 0.005, '0.5 %'],
    ['5 %', 0.05, '5 %'],
    ['0.02', 0.02, '2 %'],
  ])('%s', (text, share, said) => {
    expect(parseShare(text)).toBeCloseTo(share, 12);
    expect(shareText(parseShare(text))).toBe(said);
    expect(Share.safeParse(text).success).toBe(true);
  });

  it.each(['0', '1', '150%', 'few', '', '1 in 0', '1 in ,', '-1%'])('refuses %j', (text) => {
    expect(parseShare(text)).toBeNaN();
    expect(Share.safeParse(text).success).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { quantile } from '../../src/learning/quantile.ts';

const HUNDRED = Array.from({ length: 100 }, (_, i) => 100 - i);

describe('a quantile', () => {
  it.each([
    [HUNDRED, 0.99, 100],
    [HUNDRED, 0.5, 51],
    [HUNDRED, 0, 1],
    [HUNDRED.slice(1), 0.99, 99],
    [[7], 0.5, 7],
    [[1, 2], 0.5, 2],
    [[], 0.99, 0],
  ])('%# of share %d is %d', (values, share, wanted) => expect(quantile(values, share)).toBe(wanted));
});

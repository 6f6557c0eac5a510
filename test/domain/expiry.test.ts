import { describe, expect, it } from 'vitest';
import { type Expiry, expiryText, isExpired } from '../../src/domain/expiry.ts';

const exception: Expiry = { kind: 'exception', name: 'cleanup', owner: 'mail-team', date: '2026-11-23' };
const shadow: Expiry = { kind: 'shadow rule', name: 'trial', owner: undefined, date: '2026-11-23' };

describe('what expires on 2026-11-23 holds through that day, UTC', () => {
  it.each([
    ['2026-11-20T08:00:00Z', 'exception "cleanup" expires in 3 days (2026-11-23), owner mail-team'],
    ['2026-11-22T23:59:59Z', 'exception "cleanup" expires in 1 day (2026-11-23), owner mail-team'],
    ['2026-11-23T00:00:00Z', 'exception "cleanup" expires today (2026-11-23), owner mail-team'],
    ['2026-11-23T23:59:59.999Z', 'exception "cleanup" expires today (2026-11-23), owner mail-team'],
    [
      '2026-11-24T00:00:00Z',
      'exception "cleanup" expired 1 day ago (2026-11-23), owner mail-team: it lifts nothing; renew or remove it',
    ],
    [
      '2026-11-26T08:00:00Z',
      'exception "cleanup" expired 3 days ago (2026-11-23), owner mail-team: it lifts nothing; renew or remove it',
    ],
  ])('at %s: %s', (now, text) => {
    const nowMs = Date.parse(now);
    expect(expiryText(exception, nowMs)).toBe(text);
    expect(isExpired(exception, nowMs)).toBe(text.includes('expired'));
  });

  it('a shadow rule too', () => {
    expect(expiryText(shadow, Date.parse('2026-11-25T00:00:00Z'))).toBe(
      'shadow rule "trial" expired 2 days ago (2026-11-23): it judges nothing; enforce, renew or remove it',
    );
  });
});

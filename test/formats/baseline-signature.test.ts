import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BaselineDocument } from '../../src/domain/baseline.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { baselineSignatureFault, type RawBaseline, signBaseline } from '../../src/formats/baseline-signature.ts';
import { keyringOf, privateJwkOf, publicJwkOf, ROLES, type Role, signingKeyOf } from '../../src/formats/signature.ts';
import { baselineOf } from '../engine/evidence/lessons.ts';

const jwkOf = (...roles: Role[]) => privateJwkOf(generateKeyPairSync('ed25519').privateKey, roles);
const jwk = jwkOf('learner');
const keyring = keyringOf([publicJwkOf(jwk)]);
const AT = Date.UTC(2026, 10, 1);
const signed = signBaseline(baselineOf([]), signingKeyOf(jwk), AT);
const asFile = (document: object) => JSON.parse(canonicalJson(document)) as RawBaseline;

describe('the signature of a baseline', () => {
  it('counts for the file that it was written into, however that is laid out', () => {
    expect(signed.signature).toMatchObject({ key: jwk.kid, at: '2026-11-01T00:00:00.000Z' });
    expect(baselineSignatureFault(asFile(signed), keyring)).toBeUndefined();
    expect(baselineSignatureFault(JSON.parse(JSON.stringify(signed, null, 2)), keyring)).toBeUndefined();
  });

  it('is not there', () => {
    expect(baselineSignatureFault(asFile(baselineOf([])), keyring)).toBe('not signed');
  });

  it('does not fit once any letter or digit of the file was another', () => {
    const text = canonicalJson(signed);
    const places = [...text].flatMap((one, at) => (/[a-zA-Z0-9]/.test(one) ? [at] : []));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...'aZ19'), (at, letter) => {
        fc.pre(text[at] !== letter);
        let altered: RawBaseline;
        try {
          altered = JSON.parse(text.slice(0, at) + letter + text.slice(at + 1));
        } catch {
          return; // no JSON is no baseline either
        }
        // A number may be written in two ways: what is read is the same then, and is what was signed.
        fc.pre(canonicalJson(altered) !== text);
        if (!BaselineDocument.safeParse(altered).success) return; // and therefore refused before
        expect(baselineSignatureFault(altered, keyring)).toMatch(/signature/);
      }),
      { numRuns: 500 },
    );
  });

  it('is of a key that is trusted, as a learner', () => {
    const { kid } = jwk;
    const fault = (keys: Parameters<typeof keyringOf>[0]) => baselineSignatureFault(asFile(signed), keyringOf(keys));
    expect(fault([publicJwkOf(jwkOf('learner'))])).toBe(`signature by ${kid}, a key that is not trusted here`);
    const { x } = publicJwkOf(jwkOf('learner'));
    expect(fault([{ ...publicJwkOf(jwk), x }])).toMatch(/does not fit: the file was changed after it was signed$/);
    for (const role of ROLES.filter((one) => one !== 'learner'))
      expect(fault([{ ...publicJwkOf(jwk), roles: [role] }])).toBe(
        `signature by ${kid} with role ${role}, allowed: learner`,
      );
  });

  it('stays good when its key retires, and a retired key signs no more', () => {
    const retired = (notAfter: string) =>
      baselineSignatureFault(
        asFile(signed),
        keyringOf([{ ...publicJwkOf(jwk), notAfter }, publicJwkOf(jwkOf('learner'))]),
      );
    expect(retired('2026-11-01T00:00:00Z')).toBeUndefined();
    expect(retired('2026-10-31T23:59:59Z')).toBe(`signature by ${jwk.kid}, outside the time of this key`);
  });

  it('replaces another one', () => {
    const other = jwkOf('learner');
    const again = signBaseline(signed, signingKeyOf(other), AT + 1);
    expect(baselineSignatureFault(asFile(again), keyringOf([publicJwkOf(other)]))).toBeUndefined();
    expect({ ...again, signature: 0 }).toEqual({ ...signed, signature: 0 });
  });
});

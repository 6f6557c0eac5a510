import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/domain/command.ts';
import {
  commandSignatureFault,
  controlSignatureFault,
  keyringOf,
  type PrivateJwk,
  type PublicJwk,
  privateJwkOf,
  publicJwkOf,
  publicKeyOf,
  type SignedContent,
  signBytes,
  signCommand,
  signedBytes,
  signingKeyOf,
  signRecord,
  verifyBytes,
} from '../../src/formats/signature.ts';

const jwk = privateJwkOf(generateKeyPairSync('ed25519').privateKey, ['decider']);
const key = signingKeyOf(jwk);
const keyring = keyringOf([publicJwkOf(jwk)]);
const content: SignedContent = {
  type: 'dev.firebreak.decision.v1',
  key: Buffer.from('s-1'),
  value: Buffer.from('{"id":"d-1"}'),
};

function headersOf(signed: Record<string, string>) {
  return { kid: signed['fb-key'], signature: signed['fb-signature'], appendMs: 0 };
}

describe('signature', () => {
  it('has one text: the bits of its last letter that are beyond 64 bytes are zero', () => {
    const bytes = Buffer.from('x');
    const signature = signBytes(bytes, key);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const next = letters[letters.indexOf(signature.at(-1)!) + 1];
    const other = signature.slice(0, -1) + next;
    expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    expect([signature, other].map((one) => verifyBytes(bytes, one, publicKeyOf(jwk)))).toEqual([true, false]);
  });

  it('is the one of RFC 8032 test 2, and the key id the thumbprint of RFC 8037 for its key', () => {
    const d = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
    const x = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex');
    const vector = signingKeyOf({
      kty: 'OKP',
      crv: 'Ed25519',
      x: x.toString('base64url'),
      d: d.toString('base64url'),
      kid: 'rfc',
      roles: ['owner'],
    });
    expect(Buffer.from(signBytes(Buffer.from([0x72]), vector), 'base64url').toString('hex')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    const published = createPrivateKey({
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      },
      format: 'jwk',
    });
    expect(privateJwkOf(published, ['owner']).kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('refuses a private key whose public half is another', () => {
    const other = privateJwkOf(generateKeyPairSync('ed25519').privateKey, ['owner']);
    expect(() => signingKeyOf({ ...jwk, x: other.x })).toThrow(/public half/);
  });

  it('verifies only untouched bytes and signatures', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
        const publicKey = publicKeyOf(publicJwkOf(jwk));
        const signature = signBytes(bytes, key);
        expect(verifyBytes(bytes, signature, publicKey)).toBe(true);
        const other = Uint8Array.from(bytes);
        other[at % other.length]! ^= flip;
        expect(verifyBytes(other, signature, publicKey)).toBe(false);
        const bad = Buffer.from(signature, 'base64url');
        bad[at % bad.length]! ^= flip;
        expect(verifyBytes(bytes, bad.toString('base64url'), publicKey)).toBe(false);
        expect(verifyBytes(bytes, `${signature}=`, publicKey)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('covers type, key and value, and no byte can move between them', () => {
    const fields = fc.record({ type: fc.string(), key: fc.uint8Array(), value: fc.uint8Array() });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const same = a.type === b.type && Buffer.compare(a.key, b.key) === 0 && Buffer.compare(a.value, b.value) === 0;
        expect(Buffer.compare(signedBytes(a), signedBytes(b)) === 0).toBe(same);
      }),
    );
    const moved = { ...content, key: Buffer.from('s-1{'), value: content.value.subarray(1) };
    expect(signedBytes(moved)).not.toEqual(signedBytes(content));
  });

  const good = headersOf(signRecord(content, key));
  const stranger = privateJwkOf(generateKeyPairSync('ed25519').privateKey, ['decider']);
  it.each([
    ['accepts the right key', content, good, ['decider', 'owner'] as const, undefined],
    ['refuses no signature', content, { ...good, signature: undefined }, ['decider'] as const, /missing/],
    ['refuses no key id', content, { ...good, kid: undefined }, ['decider'] as const, /missing/],
    ['refuses another role', content, good, ['owner'] as const, /role decider, allowed: owner/],
    [
      'refuses a stranger',
      content,
      headersOf(signRecord(content, signingKeyOf(stranger))),
      ['decider'] as const,
      /not trusted/,
    ],
    [
      'refuses another session',
      { ...content, key: Buffer.from('s-2') },
      good,
      ['decider'] as const,
      /does not fit type, key and value/,
    ],
  ])('%s', (_, signed, headers, roles, reason) => {
    const fault = controlSignatureFault(signed, headers, roles, keyring);
    if (reason === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(reason);
  });

  it('signs a command so that any order of its fields verifies and any other content does not', () => {
    const command = { id: 'c-1', action: 'kill', session: 's-1', score: 0.1, reason: 'ä' } as Command;
    const signed = signCommand(command, key);
    const owners = keyringOf([{ ...publicJwkOf(jwk), roles: ['owner'] }]);
    const fault = (of: Command, ring = owners) => commandSignatureFault(of, { kid: jwk.kid, appendMs: 0 }, ring);
    const shuffled = Object.fromEntries(Object.entries(signed).reverse()) as unknown as Command;
    expect(fault(shuffled)).toBeUndefined();
    expect(signCommand(signed, key)).toEqual(signed);
    expect(fault({ ...signed, session: 's-2' })).toMatch(/does not fit the command/);
    expect(fault(command)).toMatch(/missing/);
    expect(fault(signed, keyring)).toMatch(/role decider, allowed: owner/);
  });
});

describe('a rotation of the key that signs commands', () => {
  const command = { id: 'c-1', action: 'kill', session: 's-1' } as Command;
  const [first, second] = [0, 1].map(() => privateJwkOf(generateKeyPairSync('ed25519').privateKey, ['owner']));
  const retired = { ...publicJwkOf(first!), notAfter: '2026-11-23T12:00:00Z' };
  const announced = { ...publicJwkOf(second!), notBefore: '2026-11-23T10:00:00Z' };
  /** Believed by an enforcer with this keyring, when the record was appended at that hour? */
  const believes = (trusted: PublicJwk[], signer: PrivateJwk, hour: number) => {
    const appendMs = Date.UTC(2026, 10, 23, hour);
    const signed = signCommand(command, signingKeyOf(signer));
    return commandSignatureFault(signed, { kid: signer.kid, appendMs }, keyringOf(trusted)) === undefined;
  };

  it.each<[string, PublicJwk[], PrivateJwk, number, boolean]>([
    ['an enforcer that knows the old key only refuses the new one', [publicJwkOf(first!)], second!, 11, false],
    ['an enforcer that was told of both obeys the old', [retired, announced], first!, 11, true],
    ['and the new, in any order of restarts', [retired, announced], second!, 11, true],
    ['the new one counts from its time on', [retired, announced], second!, 9, false],
    ['the retired one counts no more after its time', [retired, announced], first!, 13, false],
    ['and still in what was appended before, however late it is read', [retired, announced], first!, 9, true],
    ['a key that was taken out counts nowhere', [announced], first!, 9, false],
  ])('%s', (_, trusted, signer, hour, expected) => {
    expect(believes(trusted, signer, hour)).toBe(expected);
  });
});

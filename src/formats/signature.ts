import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { Command } from '../domain/command.ts';
import { parseInstant, RFC3339 } from '../domain/instant.ts';

/**
 * Ed25519 signatures of what Firebreak trusts: control records in the log, commands on their way out, and the actions
 * of sources that must sign. Whoever can write to the log can write a release, so a release counts only with the
 * signature of a key that has the role.
 */
export const ROLES = ['owner', 'decider', 'policy', 'enforcer', 'gateway', 'learner'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url, 43 characters');

const instant = z
  .string()
  .regex(RFC3339, 'an RFC 3339 instant')
  .refine((text) => Number.isFinite(parseInstant(text)), 'an RFC 3339 instant');

/** An Ed25519 key as RFC 8037 writes it, with the roles that it is trusted in. */
const Jwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: base64url32,
  kid: z.string().min(1).max(128),
  roles: z.array(Role).min(1),
});

/**
 * Trusted for records that the broker appended in [notBefore, notAfter]: never by the clock of the reader, so that a
 * log judged again after a rotation is judged the same. A key that signed what is still in the log stays listed.
 */
export const PublicJwk = Jwk.extend({
  notBefore: instant.optional(),
  notAfter: instant.optional(),
  sources: z.array(z.string().min(1)).min(1).optional().describe('A gateway speaks for these sources only.'),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

export const PrivateJwk = Jwk.extend({ d: base64url32 });
export type PrivateJwk = z.infer<typeof PrivateJwk>;

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
}

export interface TrustedKey {
  publicKey: KeyObject;
  roles: ReadonlySet<Role>;
  fromMs: number;
  toMs: number;
  /** Undefined: any. */
  sources: ReadonlySet<string> | undefined;
}

/** The keys that this process believes, by key id. */
export type Keyring = ReadonlyMap<string, TrustedKey>;

export function keyringOf(keys: readonly PublicJwk[]): Keyring {
  return new Map(keys.map((jwk) => [jwk.kid, trustedKeyOf(jwk)]));
}

function trustedKeyOf(jwk: PublicJwk): TrustedKey {
  const { roles, notBefore, notAfter, sources } = jwk;
  return {
    publicKey: publicKeyOf(jwk),
    roles: new Set(roles),
    fromMs: notBefore === undefined ? Number.NEGATIVE_INFINITY : parseInstant(notBefore),
    toMs: notAfter === undefined ? Number.POSITIVE_INFINITY : parseInstant(notAfter),
    sources: sources && new Set(sources),
  };
}

export function publicKeyOf({ kty, crv, x }: PublicJwk): KeyObject {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
}

/** Throws when `x` is not the public half of `d`: such a key signs what nobody can verify. */
export function signingKeyOf({ kty, crv, x, d, kid }: PrivateJwk): SigningKey {
  const privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  if (createPublicKey(privateKey).export({ format: 'jwk' }).x !== x) {
    throw new Error(`key ${kid}: x is not the public half of d`);
  }
  return { kid, privateKey };
}

/** The JWK of a private key; the key id is its RFC 7638 thumbprint. */
export function privateJwkOf(privateKey: KeyObject, roles: readonly Role[]): PrivateJwk {
  const { x, d } = privateKey.export({ format: 'jwk' });
  const shape = { kty: 'OKP', crv: 'Ed25519', x: x! } as const;
  const kid = createHash('sha256').update(canonicalJson(shape)).digest('base64url');
  return { ...shape, d: d!, kid, roles: [...roles] };
}

export function publicJwkOf({ d: _secret, ...rest }: PrivateJwk): PublicJwk {
  return rest;
}

/** base64url of the signature. */
export function signBytes(bytes: Uint8Array, key: SigningKey): string {
  return sign(null, bytes, key.privateKey).toString('base64url');
}

export function verifyBytes(bytes: Uint8Array, signature: string, publicKey: KeyObject): boolean {
  return SIGNATURE.test(signature) && verify(null, bytes, publicKey, Buffer.from(signature, 'base64url'));
}

/** Exactly the characters of 64 bytes, spare bits zero; Buffer.from would pass over any others. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/;

export const KEY_HEADER = 'fb-key';
export const SIGNATURE_HEADER = 'fb-signature';

/** What a signature of a record covers. */
export interface SignedContent {
  /** Full CloudEvents type; for a bare action that of an action. */
  type: string;
  key: Uint8Array;
  value: Uint8Array;
}

/** Who claims to have signed what, and when the broker appended it. */
export interface Claim {
  kid: string | undefined;
  signature: string | undefined;
  appendMs: number;
}

/**
 * The bytes that the signature of a record covers. The key is among them, so that nobody moves a release to
 * another session; the lengths, so that no byte moves from one field to the next; the prefix, so that no signature of
 * anything else fits.
 *
 *   "firebreak.control.v1\n" │ u32 BE │ type │ u32 BE │ key │ u32 BE │ value
 */
export function signedBytes({ type, key, value }: SignedContent): Uint8Array {
  const parts: Uint8Array[] = [PREFIX];
  for (const field of [Buffer.from(type), key, value]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    parts.push(length, field);
  }
  return Buffer.concat(parts);
}

const PREFIX = Buffer.from('firebreak.control.v1\n');

/** The headers of a signed record. */
export function signRecord(content: SignedContent, key: SigningKey): Record<string, string> {
  return { [KEY_HEADER]: key.kid, [SIGNATURE_HEADER]: signBytes(signedBytes(content), key) };
}

/** Why the signature of a control record does not count; undefined when it does. */
export function controlSignatureFault(
  content: SignedContent,
  claim: Claim,
  roles: readonly Role[],
  keyring: Keyring,
): string | undefined {
  const key = keyOf(claim, roles, keyring);
  return typeof key === 'string' ? key : contentFault(content, claim, key);
}

/** The same for an action: its key must be a gateway's, and may speak for some sources only. */
export function actionSignatureFault(
  content: SignedContent,
  claim: Claim,
  source: string | undefined,
  keyring: Keyring,
): string | undefined {
  const key = keyOf(claim, ['gateway'], keyring);
  if (typeof key === 'string') return key;
  if (key.sources !== undefined && (source === undefined || !key.sources.has(source))) {
    return `signature by ${claim.kid}, which speaks for ${[...key.sources].join(', ')}`;
  }
  return contentFault(content, claim, key);
}

/** For enforcers: `kid` is the header of the record that carried the command. */
export function commandSignatureFault(
  command: Command,
  { kid, appendMs }: Omit<Claim, 'signature'>,
  keyring: Keyring,
): string | undefined {
  const { signature, ...signed } = command;
  const key = keyOf({ kid, signature, appendMs }, ['owner'], keyring);
  if (typeof key === 'string') return key;
  return verifyBytes(commandBytes(signed), signature!, key.publicKey)
    ? undefined
    : `signature by ${kid} does not fit the command`;
}

/** The key that the claim names, or why it does not count whatever it signed. */
export function keyOf(
  { kid, signature, appendMs }: Claim,
  roles: readonly Role[],
  keyring: Keyring,
): TrustedKey | string {
  if (kid === undefined || signature === undefined) {
    return `signature missing: headers ${KEY_HEADER} and ${SIGNATURE_HEADER}`;
  }
  const key = keyring.get(kid);
  if (key === undefined) return `signature by ${kid}, a key that is not trusted here`;
  if (appendMs < key.fromMs || appendMs > key.toMs) return `signature by ${kid}, outside the time of this key`;
  if (!roles.some((role) => key.roles.has(role))) {
    return `signature by ${kid} with role ${[...key.roles].join(', ')}, allowed: ${roles.join(', ')}`;
  }
  return key;
}

function contentFault(content: SignedContent, { kid, signature }: Claim, key: TrustedKey): string | undefined {
  return verifyBytes(signedBytes(content), signature!, key.publicKey)
    ? undefined
    : `signature by ${kid} does not fit type, key and value`;
}

/** The command with its signature: over its canonical JSON without that field. */
export function signCommand(command: Command, key: SigningKey): Command {
  return { ...command, signature: signBytes(commandBytes(command), key) };
}

function commandBytes({ signature: _left, ...signed }: Command): Uint8Array {
  return Buffer.from(canonicalJson(signed));
}

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { Command } from '../domain/command.ts';

/**
 * Ed25519 signatures of what Firebreak trusts: control records in the log, commands on their way out. Whoever can
 * write to the log can write a release, so a release counts only with the signature of a key that has the role.
 */
export const ROLES = ['owner', 'decider', 'policy', 'enforcer'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url, 43 characters');

/** An Ed25519 key as RFC 8037 writes it, with the roles that it is trusted in. */
export const PublicJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: base64url32,
  kid: z.string().min(1).max(128),
  roles: z.array(Role).min(1),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

export const PrivateJwk = PublicJwk.extend({ d: base64url32 });
export type PrivateJwk = z.infer<typeof PrivateJwk>;

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
}

export interface TrustedKey {
  publicKey: KeyObject;
  roles: ReadonlySet<Role>;
}

/** The keys that this process believes, by key id. */
export type Keyring = ReadonlyMap<string, TrustedKey>;

export function keyringOf(keys: readonly PublicJwk[]): Keyring {
  return new Map(keys.map((jwk) => [jwk.kid, { publicKey: publicKeyOf(jwk), roles: new Set(jwk.roles) }]));
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

/** Exactly the characters of 64 bytes; Buffer.from would pass over any others. */
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

export const KEY_HEADER = 'fb-key';
export const SIGNATURE_HEADER = 'fb-signature';

export interface ControlContent {
  /** Full CloudEvents type. */
  type: string;
  key: Uint8Array;
  value: Uint8Array;
}

/**
 * The bytes that the signature of a control record covers. The key is among them, so that nobody moves a release to
 * another session; the lengths, so that no byte moves from one field to the next; the prefix, so that no signature of
 * anything else fits.
 *
 *   "firebreak.control.v1\n" │ u32 BE │ type │ u32 BE │ key │ u32 BE │ value
 */
export function controlBytes({ type, key, value }: ControlContent): Uint8Array {
  const parts: Uint8Array[] = [PREFIX];
  for (const field of [Buffer.from(type), key, value]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    parts.push(length, field);
  }
  return Buffer.concat(parts);
}

const PREFIX = Buffer.from('firebreak.control.v1\n');

export function signControl(content: ControlContent, key: SigningKey): Record<string, string> {
  return { [KEY_HEADER]: key.kid, [SIGNATURE_HEADER]: signBytes(controlBytes(content), key) };
}

/** Why the signature does not count; undefined when it does. */
export function controlSignatureFault(
  content: ControlContent,
  signed: { kid: string | undefined; signature: string | undefined },
  roles: readonly Role[],
  keyring: Keyring,
): string | undefined {
  if (signed.kid === undefined || signed.signature === undefined) {
    return `signature missing: headers ${KEY_HEADER} and ${SIGNATURE_HEADER}`;
  }
  const key = keyring.get(signed.kid);
  if (key === undefined) return `signature by ${signed.kid}, a key that is not trusted here`;
  if (!roles.some((role) => key.roles.has(role))) {
    return `signature by ${signed.kid} with role ${[...key.roles].join(', ')}, allowed: ${roles.join(', ')}`;
  }
  return verifyBytes(controlBytes(content), signed.signature, key.publicKey)
    ? undefined
    : `signature by ${signed.kid} does not fit type, key and value`;
}

/** The command with its signature: over its canonical JSON without that field. */
export function signCommand(command: Command, key: SigningKey): Command {
  return { ...command, signature: signBytes(commandBytes(command), key) };
}

export function verifyCommand(command: Command, publicKey: KeyObject): boolean {
  return command.signature !== undefined && verifyBytes(commandBytes(command), command.signature, publicKey);
}

function commandBytes({ signature: _left, ...signed }: Command): Uint8Array {
  return Buffer.from(canonicalJson(signed));
}

import type { Baseline, BaselineDocument, BaselineSignature } from '../domain/baseline.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import { TYPE_PREFIX } from '../domain/record.ts';
import { type Keyring, keyOf, type Role, type SigningKey, signBytes, signedBytes, verifyBytes } from './signature.ts';

/**
 * Nobody else, not even the owner: keys of this role sign nothing in the log, so a stolen one can be taken out of
 * `trusted` at once, and with it whatever it signed and whenever it says that it did.
 */
export const LEARNER: Role = 'learner';

/** A baseline as it stands in its file, parsed but not interpreted: no default is filled in. */
export type RawBaseline = Readonly<Record<string, unknown>> & { readonly signature?: BaselineSignature | undefined };

/** The baseline with the signature of this key. Another signature is replaced. */
export function signBaseline(baseline: Baseline | BaselineDocument, key: SigningKey, atMs: number): BaselineDocument {
  const signed = { key: key.kid, at: formatInstant(atMs) };
  return { ...baseline, signature: { ...signed, value: signBytes(bytesOf(baseline, signed), key) } };
}

/**
 * Why the signature of a baseline does not count; undefined when it does. A key must have been valid when the signer
 * says that it signed: a baseline stays good when its key retires, and there is no other clock to ask.
 */
export function baselineSignatureFault(document: RawBaseline, keyring: Keyring): string | undefined {
  const { signature } = document;
  if (signature === undefined) return 'not signed';
  const { key: kid, at, value } = signature;
  const key = keyOf({ kid, signature: value, appendMs: parseInstant(at) }, [LEARNER], keyring);
  if (typeof key === 'string') return key;
  return verifyBytes(bytesOf(document, { key: kid, at }), value, key.publicKey)
    ? undefined
    : `signature by ${kid} does not fit: the file was changed after it was signed`;
}

/** The keys that may sign baselines. */
export function learnersIn(keyring: Keyring): string[] {
  return [...keyring].filter(([, { roles }]) => roles.has(LEARNER)).map(([kid]) => kid);
}

function bytesOf(document: RawBaseline, signature: Omit<BaselineSignature, 'value'>): Uint8Array {
  const value = Buffer.from(canonicalJson({ ...document, signature }));
  return signedBytes({ type: `${TYPE_PREFIX}baseline.v1`, key: Buffer.alloc(0), value });
}

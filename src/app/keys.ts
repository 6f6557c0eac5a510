import { generateKeyPairSync } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  type Keyring,
  keyringOf,
  PrivateJwk,
  PublicJwk,
  privateJwkOf,
  publicJwkOf,
  ROLES,
  type Role,
  type SigningKey,
  signingKeyOf,
} from '../formats/signature.ts';
import type { Config } from './config.ts';

/** What a process signs with, and whom it believes. Its own key is believed in its own roles. */
export const KeyFile = z
  .strictObject({
    key: PrivateJwk.describe('The key that this process signs with.'),
    trusted: z.array(PublicJwk).default([]).describe('Public keys of others: deciders, policy authors, enforcers.'),
  })
  .describe('Firebreak key file');
export type KeyFile = z.infer<typeof KeyFile>;

export interface Keys {
  signing: SigningKey;
  keyring: Keyring;
}

/** A new key. One with all roles is for development: in production no key is owner and decider. */
export function generateKeyPair(roles: readonly Role[] = ROLES): PrivateJwk {
  return privateJwkOf(generateKeyPairSync('ed25519').privateKey, roles);
}

/** Writes the file for its owner's eyes only (mode 0600). Throws when there is one: a lost key is not to be mended. */
export async function storeKeyFile(path: string, file: KeyFile): Promise<void> {
  const handle = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(
      cause.code === 'EEXIST'
        ? `${path}: there is a key file already; move it away to make a new one`
        : `${path}: cannot be written (${cause.code})`,
      { cause },
    );
  });
  try {
    await handle.writeFile(`${JSON.stringify(file, null, 2)}\n`);
  } finally {
    await handle.close();
  }
}

/** Throws an error that names the file, the field, and what is allowed. It never repeats a secret. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(
      cause.code === 'ENOENT'
        ? `${path}: no key file; firebreak init makes one for development`
        : `${path}: cannot be read (${cause.code})`,
      { cause },
    );
  });
  return parseKeyFile(path, text);
}

/** The same, ready to sign and to verify. */
export async function loadKeyFile(path: string): Promise<Keys> {
  const file = await readKeyFile(path);
  const own = publicJwkOf(file.key);
  const double = [own, ...file.trusted].map(({ kid }) => kid).find((kid, at, all) => all.indexOf(kid) !== at);
  if (double !== undefined) throw new Error(`${path}: two keys with the id ${double}; ids must differ`);
  try {
    return { signing: signingKeyOf(file.key), keyring: keyringOf([own, ...file.trusted]) };
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Whose signature a baseline needs before it is activated; undefined: nobody's. */
export function signersOf({ keys }: Pick<Config, 'keys'>, { keyring }: Pick<Keys, 'keyring'>): Keyring | undefined {
  return keys.signedBaselines ? keyring : undefined;
}

function parseKeyFile(path: string, text: string): KeyFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be the key.
    throw new Error(`${path}: not JSON`);
  }
  const parsed = KeyFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new Error(`${path}: ${faults.join('; ')}`);
}

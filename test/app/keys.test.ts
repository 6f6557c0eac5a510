import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair, loadKeyFile, storeKeyFile } from '../../src/app/keys.ts';
import { controlSignatureFault, publicJwkOf, signRecord } from '../../src/formats/signature.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('key file', () => {
  it('is written once, for its owner only, and signs what its keyring verifies', async () => {
    const path = join(folder, 'keys.json');
    const bot = generateKeyPair(['decider']);
    const file = { key: generateKeyPair(['owner']), trusted: [publicJwkOf(bot)] };
    await storeKeyFile(path, file);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(storeKeyFile(path, file)).rejects.toThrow(`${path}: there is a key file already`);

    const { signing, keyring } = await loadKeyFile(path);
    const content = { type: 'dev.firebreak.tick.v1', key: Buffer.from('fb:0'), value: Buffer.from('{}') };
    const signed = signRecord(content, signing);
    const headers = { kid: signed['fb-key'], signature: signed['fb-signature'], appendMs: 0 };
    expect(controlSignatureFault(content, headers, ['owner'], keyring)).toBeUndefined();
    expect([...keyring.keys()].sort()).toEqual([file.key.kid, bot.kid].sort());
  });

  const key = generateKeyPair(['owner']);
  it.each([
    ['no JSON', '{', /not JSON$/],
    ['no key', '{}', /key: /],
    ['an unknown role', { key: { ...key, roles: ['boss'] } }, /key\.roles\.0: .*"owner"\|"decider"/],
    ['another curve', { key: { ...key, crv: 'X25519' } }, /key\.crv: .*"Ed25519"/],
    ['a short x', { key: { ...key, x: 'AAAA' } }, /key\.x: 32 bytes in base64url/],
    ['a foreign x', { key: { ...key, x: generateKeyPair().x } }, /public half/],
    ['a misspelt field', { key, trust: [] }, /trust/],
    ['a key id twice', { key, trusted: [publicJwkOf(key)] }, /two keys with the id/],
    ['a time that is none', { key, trusted: [{ ...publicJwkOf(generateKeyPair()), notAfter: 'soon' }] }, /RFC 3339/],
    ['an end of the key that signs', { key: { ...key, notAfter: '2027-01-01T00:00:00Z' } }, /notAfter/],
    ['a private key among the trusted', { key, trusted: [generateKeyPair()] }, /trusted\.0: .*"d"/],
  ])('with %s is refused by name and without repeating the secret', async (name, content, reason) => {
    const path = join(folder, `${name}.json`);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    const failure = await loadKeyFile(path).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).toMatch(reason);
    expect((failure as Error).message.startsWith(`${path}: `)).toBe(true);
    expect((failure as Error).message).not.toContain(key.d);
  });

  it('that is not there names the mend', async () => {
    await expect(loadKeyFile(join(folder, 'none.json'))).rejects.toThrow(/firebreak init/);
    await expect(storeKeyFile(join(folder, 'no/keys.json'), { key, trusted: [] })).rejects.toThrow(/ENOENT/);
    await expect(readFile(join(folder, 'no/keys.json'))).rejects.toThrow();
  });
});

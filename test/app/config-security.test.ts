import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readTls } from '../../src/adapters/tls-files.ts';
import { loadConfig } from '../../src/app/config-sources.ts';
import { makeAuthority } from '../services/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-config-security-'));
afterAll(() => rmSync(folder, { recursive: true }));

const authority = await makeAuthority(folder);
const own = authority.issue('analyzer');
const locked = authority.issue('locked', 'hunter2');
const text = join(folder, 'text');
writeFileSync(text, 'no certificate\n');
copyFileSync(own.certFile, join(folder, 'copy.pem'));

const KAFKA = 'FIREBREAK_KAFKA__TLS__';
const REDIS = 'FIREBREAK_REDIS__TLS__';
const SASL = 'FIREBREAK_KAFKA__SASL__';

function load(env: Record<string, string>, flags: Record<string, string> = {}) {
  return loadConfig({ file: undefined, env, flags });
}

describe('TLS and logins', () => {
  it.each<[string, Record<string, string>]>([
    ['TLS that trusts what Node trusts', { [`${KAFKA}ENABLED`]: 'true' }],
    ['an authority', { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CA_FILE`]: authority.caFile }],
    [
      'a client certificate',
      { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CERT_FILE`]: own.certFile, [`${KAFKA}KEY_FILE`]: own.keyFile },
    ],
    [
      'an encrypted key',
      {
        FIREBREAK_REDIS__URL: 'rediss://redis:6379',
        [`${REDIS}CERT_FILE`]: locked.certFile,
        [`${REDIS}KEY_FILE`]: locked.keyFile,
        [`${REDIS}KEY_PASSPHRASE`]: 'hunter2',
      },
    ],
    [
      'SCRAM without TLS',
      { [`${SASL}MECHANISM`]: 'scram-sha-256', [`${SASL}USERNAME`]: 'u', [`${SASL}PASSWORD`]: 'p' },
    ],
    [
      'a token file',
      { [`${KAFKA}ENABLED`]: 'true', [`${SASL}MECHANISM`]: 'oauthbearer', [`${SASL}TOKEN_FILE`]: '/run/token' },
    ],
  ])('takes %s', (_, env) => {
    expect(load(env)).toMatchObject({ ok: true });
  });

  it.each<[string, Record<string, string>, string[]]>([
    [
      'an authority that is not there',
      { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CA_FILE`]: '/nowhere.pem' },
      [
        `${KAFKA}CA_FILE: kafka.tls.caFile: found "/nowhere.pem", allowed: a file that can be read (ENOENT at /nowhere.pem)`,
      ],
    ],
    [
      'an authority without TLS',
      { [`${KAFKA}CA_FILE`]: authority.caFile },
      [`kafka.tls.enabled: found nothing, allowed: true, because kafka.tls.caFile is set; set ${KAFKA}ENABLED`],
    ],
    [
      'files that hold something else, each',
      {
        [`${KAFKA}ENABLED`]: 'true',
        [`${KAFKA}CA_FILE`]: text,
        [`${KAFKA}CERT_FILE`]: text,
        [`${KAFKA}KEY_FILE`]: text,
      },
      [
        'caFile: .*a file with a certificate in PEM',
        'certFile: .*a file with a certificate',
        'keyFile: .*a private key in PEM',
      ],
    ],
    [
      'a certificate without its key',
      { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CERT_FILE`]: own.certFile },
      ['kafka.tls.keyFile: found nothing, allowed: the key of certFile'],
    ],
    [
      'the key of another certificate',
      { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CERT_FILE`]: locked.certFile, [`${KAFKA}KEY_FILE`]: own.keyFile },
      ['keyFile: .*the private key of the certificate in certFile'],
    ],
    [
      'an encrypted key without its passphrase',
      { [`${KAFKA}ENABLED`]: 'true', [`${KAFKA}CERT_FILE`]: locked.certFile, [`${KAFKA}KEY_FILE`]: locked.keyFile },
      ['keyFile: .*a key that is not encrypted, or its keyPassphrase'],
    ],
    [
      'a passphrase that opens nothing',
      {
        [`${KAFKA}ENABLED`]: 'true',
        [`${KAFKA}CERT_FILE`]: locked.certFile,
        [`${KAFKA}KEY_FILE`]: locked.keyFile,
        [`${KAFKA}KEY_PASSPHRASE`]: 'hunter3',
      },
      ['keyFile: .*a private key in PEM that keyPassphrase opens'],
    ],
    [
      'files for a Redis without TLS',
      { FIREBREAK_REDIS__URL: 'redis://redis:6379', [`${REDIS}CA_FILE`]: authority.caFile },
      [
        'FIREBREAK_REDIS__URL: redis.url: found a secret that does not fit, allowed: rediss://, because redis.tls.caFile is set',
      ],
    ],
    [
      'a password that anybody on the way can read',
      { [`${SASL}MECHANISM`]: 'plain', [`${SASL}USERNAME`]: 'u', [`${SASL}PASSWORD`]: 'hunter2' },
      ['kafka.tls.enabled: found nothing, allowed: true, because kafka.sasl.mechanism plain sends the secret as it is'],
    ],
    [
      'a user with a token',
      { [`${KAFKA}ENABLED`]: 'true', [`${SASL}MECHANISM`]: 'oauthbearer', [`${SASL}USERNAME`]: 'u' },
      [
        'kafka.sasl.username: found "u", allowed: nothing, with kafka.sasl.mechanism oauthbearer',
        'kafka.sasl.tokenFile: found nothing, allowed: a string',
      ],
    ],
  ])('refuses %s', (_, env, expected) => {
    const loaded = load(env);
    if (loaded.ok) throw new Error('loaded');
    expect(loaded.problems).toHaveLength(expected.length);
    for (const [at, problem] of expected.entries()) {
      if (problem.includes('.*')) expect(loaded.problems[at]).toMatch(new RegExp(problem));
      else expect(loaded.problems[at]).toContain(problem);
    }
    expect(loaded.problems.join()).not.toMatch(/hunter/);
  });

  it('refuses a password on the command line, without repeating it', () => {
    const loaded = load({}, { 'redis.url': 'redis://u:hunter2@h:1' });
    if (loaded.ok) throw new Error('loaded');
    expect(loaded.problems).toEqual([
      expect.stringMatching(/^--redis: found a password.*FIREBREAK_REDIS__PASSWORD_FILE$/),
    ]);
    expect(load({ FIREBREAK_REDIS__URL: 'redis://u:hunter2@h:1' }).ok).toBe(true);
    expect(load({}, { 'redis.url': 'redis://u@h:1' }).ok).toBe(false); // a user alone is not an address
    expect(load({}, { 'redis.url': 'redis://u:@h:1' }).ok).toBe(true);
  });

  it('hands the files on as Node wants them', () => {
    const material = readTls({ caFile: authority.caFile, ...own, keyPassphrase: 'x' });
    expect(material.ca).toContain('BEGIN CERTIFICATE');
    expect(material.key).toContain('BEGIN PRIVATE KEY');
    expect(material).toMatchObject({ cert: expect.stringContaining('BEGIN CERTIFICATE'), passphrase: 'x' });
    expect(readTls({})).toEqual({});
  });
});

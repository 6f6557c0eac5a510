import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './installed.ts';

export interface Certificate {
  certFile: string;
  /** PKCS#8, as Kafka and Node both read it. */
  keyFile: string;
}

export interface Authority {
  caFile: string;
  /** A certificate for `CN=name`, valid as server on 127.0.0.1 and as client. With a passphrase the key is encrypted. */
  issue(name: string, passphrase?: string): Certificate;
}

/** A certificate authority of the caller's own, made by openssl, in `folder`. */
export async function makeAuthority(folder: string, name = 'firebreak-test-ca'): Promise<Authority> {
  await ensureInstalled('openssl', ['openssl']);
  const file = (suffix: string) => join(folder, `${name}-${suffix}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const caFile = file('ca.pem');
  const caKey = file('ca.key');
  openssl('req', '-x509', ...key, '-nodes', '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', `/CN=${name}`);
  const extensions = file('extensions');
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n');
  return {
    caFile,
    issue(subject, passphrase) {
      const request = file(`${subject}.csr`);
      const [certFile, keyFile] = [file(`${subject}.pem`), file(`${subject}.key`)];
      const secrecy = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
      openssl('req', ...key, ...secrecy, '-keyout', keyFile, '-out', request, '-subj', `/CN=${subject}`);
      const signer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, '-out', certFile, ...signer);
      return { certFile, keyFile };
    },
  };
}

/** Key and certificate in one file, as Kafka wants a PEM key store. */
export function pemStore({ certFile, keyFile }: Certificate, path: string): string {
  writeFileSync(path, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'), { mode: 0o600 });
  return path;
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where the certificates are. There is no setting that trusts everybody. */
export const TlsFiles = z.strictObject({
  caFile: z.string().min(1).optional().describe('Certificates to trust, PEM. Default: those of Node.'),
  certFile: z.string().min(1).optional().describe('Certificate of this process, PEM, for mutual TLS.'),
  keyFile: z.string().min(1).optional().describe('Its private key, PEM.'),
  keyPassphrase: z.string().min(1).optional().describe('Opens an encrypted private key.'),
});
export type TlsFiles = z.infer<typeof TlsFiles>;

/**
 * For `superRefine`, when the settings are read: a file that is missing or holds something else, or a key that is not
 * the certificate's own, shows here and not as a closed connection.
 */
export function checkTlsFiles(files: TlsFiles, context: z.RefinementCtx): void {
  for (const { setting, needs } of faultsOf(files)) {
    context.addIssue({ code: 'custom', path: [setting], message: needs });
  }
}

/** As `tls.connect` wants it. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
}

/** What the files hold now. A process keeps it to its end: restart it after a rotation. */
export function readTls({ caFile, certFile, keyFile, keyPassphrase }: TlsFiles): TlsMaterial {
  return {
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
    ...(certFile === undefined ? {} : { cert: readFileSync(certFile, 'utf8') }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile, 'utf8') }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
  };
}

interface Fault {
  setting: keyof TlsFiles;
  /** What would be allowed there. It never quotes a file. */
  needs: string;
}

function faultsOf(files: TlsFiles): Fault[] {
  const { caFile, certFile, keyFile, keyPassphrase } = files;
  const faults: Fault[] = [];
  const check = <T>(setting: keyof TlsFiles, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      faults.push({ setting, needs: (error as Error).message });
      return undefined;
    }
  };
  if (caFile !== undefined) check('caFile', () => certificateIn(caFile));
  const certificate = certFile === undefined ? undefined : check('certFile', () => certificateIn(certFile));
  const key = keyFile === undefined ? undefined : check('keyFile', () => privateKeyIn(keyFile, keyPassphrase));
  if (certFile !== undefined && keyFile === undefined)
    faults.push({ setting: 'keyFile', needs: 'the key of certFile' });
  if (keyFile !== undefined && certFile === undefined) {
    faults.push({ setting: 'certFile', needs: 'the certificate of keyFile' });
  }
  if (keyPassphrase !== undefined && keyFile === undefined) {
    faults.push({ setting: 'keyFile', needs: 'the key that keyPassphrase opens' });
  }
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    faults.push({ setting: 'keyFile', needs: 'the private key of the certificate in certFile' });
  }
  return faults;
}

function certificateIn(file: string): X509Certificate {
  const pem = textOf(file);
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error('a file with a certificate in PEM', { cause });
  }
}

function privateKeyIn(file: string, passphrase: string | undefined) {
  const key = textOf(file);
  try {
    return createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    if (passphrase === undefined && key.includes('ENCRYPTED')) {
      throw new Error('a key that is not encrypted, or its keyPassphrase', { cause });
    }
    const opens = passphrase === undefined ? '' : ' that keyPassphrase opens';
    throw new Error(`a file with a private key in PEM${opens}`, { cause });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`a file that can be read (${(cause as NodeJS.ErrnoException).code} at ${file})`, { cause });
  }
}

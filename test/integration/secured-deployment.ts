import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../../src/adapters/tls-files.ts';
import { makeAuthority } from '../services/certificates.ts';
import { documentedAcls, documentedRedisUser, grant } from '../services/documented-rights.ts';
import { PASSWORD, type SecuredKafka, startSecuredKafka } from '../services/secured-kafka.ts';
import { type SecuredRedis, startSecuredRedis } from '../services/secured-redis.ts';
import { type Deployment, deploy } from './deployment.ts';
import { RULES } from './traffic.ts';

export const PASSPHRASE = 'the passphrase of this test';

/** A deployment whose analyzers have the rights that deploy/SECURITY.md documents and nothing else. */
export interface SecuredDeployment extends Deployment {
  kafkaService: SecuredKafka;
  redisService: SecuredRedis;
  /** Removed with the deployment. */
  secrets: string;
  /** The client certificate of the analyzers, its key encrypted. */
  tls: TlsFiles & { caFile: string; keyPassphrase: string };
  keyPrefix: string;
}

export async function deploySecured(): Promise<SecuredDeployment> {
  const secrets = mkdtempSync(join(tmpdir(), 'firebreak-secured-'));
  const authority = await makeAuthority(secrets);
  const { caFile } = authority;
  const server = authority.issue('server');
  const { certFile, keyFile } = authority.issue('analyzer', PASSPHRASE);
  const client = {
    ca: readFileSync(caFile),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    passphrase: PASSPHRASE,
  };
  const passwordFile = join(secrets, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  const [kafkaService, redisService] = await Promise.all([
    startSecuredKafka(secrets, authority, server),
    startSecuredRedis(authority, server, { client, password: PASSWORD }),
  ]);
  const deployment = await deploy({
    partitions: 4,
    rules: RULES,
    brokers: [kafkaService.internal],
    redisUrl: redisService.url,
    redisLogin: redisService.admin,
    env: {
      NODE_OPTIONS: '--disallow-code-generation-from-strings',
      FIREBREAK_LOG__LEVEL: 'trace',
      FIREBREAK_KEYS__MUST_SIGN: 'gw-1',
      FIREBREAK_KAFKA__TLS__ENABLED: 'true',
      FIREBREAK_KAFKA__TLS__CA_FILE: caFile,
      FIREBREAK_KAFKA__SASL__MECHANISM: 'scram-sha-512',
      FIREBREAK_KAFKA__SASL__USERNAME: 'analyzer',
      FIREBREAK_KAFKA__SASL__PASSWORD_FILE: passwordFile,
      FIREBREAK_REDIS__USERNAME: 'analyzer',
      FIREBREAK_REDIS__PASSWORD_FILE: passwordFile,
      FIREBREAK_REDIS__TLS__CA_FILE: caFile,
      FIREBREAK_REDIS__TLS__CERT_FILE: certFile,
      FIREBREAK_REDIS__TLS__KEY_FILE: keyFile,
      FIREBREAK_REDIS__TLS__KEY_PASSPHRASE: PASSPHRASE,
    },
  });
  const keyPrefix = deployment.prefix.slice(0, -1);
  const admin = deployment.kafka.admin();
  await admin.connect();
  await grant(admin, await documentedAcls(deployment.prefix));
  await admin.disconnect();
  await deployment.redis.call('ACL', ...(await documentedRedisUser(PASSWORD, keyPrefix)));
  return {
    ...deployment,
    kafkaService,
    redisService,
    secrets,
    tls: { caFile, certFile, keyFile, keyPassphrase: PASSPHRASE },
    keyPrefix,
    async close() {
      await deployment.close();
      await Promise.all([kafkaService.stop(), redisService.stop()]);
      rmSync(secrets, { recursive: true });
    },
  };
}

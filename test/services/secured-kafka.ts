import { join } from 'node:path';
import { type Authority, type Certificate, pemStore } from './certificates.ts';
import { DEFAULT_KAFKA_VERSION, isPortTaken, type OwnKafka, startOwn } from './kafka.ts';

export const PASSWORD = 'a secret of this test';

/** Users of the SCRAM mechanisms and of PLAIN, all with `PASSWORD`. An OAUTHBEARER user is whom its token names. */
export const USERS = ['analyzer', 'gateway', 'enforcer', 'activator', 'reviewer', 'oncall', 'admin'] as const;
export type User = (typeof USERS)[number];

export interface SecuredKafka extends OwnKafka {
  /** SASL_SSL with all mechanisms, and SSL that wants a client certificate (`User:CN`). */
  listeners: { SASL: string; MUTUAL: string };
}

const LOGIN = 'org.apache.kafka.common.security';
const MECHANISMS: Record<string, string> = {
  plain: `${LOGIN}.plain.PlainLoginModule required ${USERS.map((user) => `user_${user}="${PASSWORD}"`).join(' ')};`,
  'scram-sha-256': `${LOGIN}.scram.ScramLoginModule required;`,
  'scram-sha-512': `${LOGIN}.scram.ScramLoginModule required;`,
  oauthbearer: `${LOGIN}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
};

/**
 * A broker on the local JVM that lets nobody do anything: TLS with a certificate of `authority`, logins, and the
 * authorizer of KRaft without a single ACL. Whoever connects to `internal` may do everything, to make the ACLs.
 */
export async function startSecuredKafka(
  folder: string,
  authority: Authority,
  server: Certificate,
): Promise<SecuredKafka> {
  const settings: Record<string, string> = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': pemStore(server, join(folder, 'broker-store.pem')),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.caFile,
    'ssl.principal.mapping.rules': 'RULE:^CN=(.*)$/$1/',
    'listener.name.mutual.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': Object.keys(MECHANISMS).join(',').toUpperCase(),
    ...Object.fromEntries(
      Object.entries(MECHANISMS).map(([name, module]) => [`listener.name.sasl.${name}.sasl.jaas.config`, module]),
    ),
  };
  const scram = (mechanism: string) =>
    USERS.flatMap((name) => ['--add-scram', `${mechanism}=[name=${name},password=${PASSWORD}]`]);
  const layout = {
    listeners: { SASL: 'SASL_SSL', MUTUAL: 'SSL' },
    settings,
    format: [...scram('SCRAM-SHA-256'), ...scram('SCRAM-SHA-512')],
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return (await startOwn(DEFAULT_KAFKA_VERSION, layout)) as SecuredKafka;
    } catch (error) {
      if (attempt === 3 || !isPortTaken(error)) throw error;
    }
  }
}

import { readFile } from 'node:fs/promises';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { z } from 'zod';

/** How this process says who it is, where a client certificate does not say it already. */
export const KafkaLogin = z
  .strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).describe('How to log in.'),
    username: z.string().min(1).optional().describe('Who logs in; not with oauthbearer.'),
    password: z.string().min(1).optional().describe('Its password.'),
    tokenFile: z.string().min(1).optional().describe('Token for oauthbearer; read again at each login.'),
  })
  .superRefine(({ mechanism, ...given }, context) => {
    const needed = mechanism === 'oauthbearer' ? ['tokenFile'] : ['username', 'password'];
    for (const name of ['username', 'password', 'tokenFile'] as const) {
      const isThere = given[name] !== undefined;
      if (isThere === needed.includes(name)) continue;
      const message = isThere ? `nothing, with kafka.sasl.mechanism ${mechanism}` : 'a string';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });
export type KafkaLogin = z.infer<typeof KafkaLogin>;

/** Whether whoever reads the connection has the secret. SCRAM sends proofs instead. */
export function sendsTheSecret({ mechanism }: KafkaLogin): boolean {
  return mechanism === 'plain' || mechanism === 'oauthbearer';
}

export function saslOf({ mechanism, username, password, tokenFile }: KafkaLogin): NonNullable<KafkaConfig['sasl']> {
  if (mechanism === 'oauthbearer') {
    // kafkajs asks at each login of each connection, and again when the broker ends the session of an old token. What
    // keeps the token fresh, such as a kubelet, rewrites the file.
    return { mechanism, oauthBearerProvider: async () => ({ value: (await readFile(tokenFile!, 'utf8')).trim() }) };
  }
  // kafkajs wants one member of its union, and the mechanism decides nothing about the other fields.
  return { mechanism, username, password } as SASLOptions;
}

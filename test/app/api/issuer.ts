import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const ISSUER = 'https://id.corp.example/realms/corp';

/** An identity provider, as far as tokens need one: it signs them, and serves its keys as Keycloak does. */
export async function startIssuer() {
  const [own, other] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`;
  return {
    issuer: ISSUER,
    jwksUrl: url,
    /** A token as Keycloak makes one, with what is to be wrong about it. */
    token(roles: unknown, wrong: { key?: 'forged'; sub?: string; iss?: string; aud?: string; exp?: string } = {}) {
      const claims = { realm_access: { roles }, preferred_username: 'kim' };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setSubject(wrong.sub ?? 'user-1')
        .setIssuer(wrong.iss ?? ISSUER)
        .setAudience(wrong.aud ?? 'firebreak')
        .setIssuedAt()
        .setExpirationTime(wrong.exp ?? '5m')
        .sign(wrong.key === 'forged' ? other.privateKey : own.privateKey);
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

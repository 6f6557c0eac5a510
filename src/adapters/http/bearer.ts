import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';

export interface BearerOptions {
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/** What a token says, once it is believed. */
export interface Claims extends JWTPayload {
  sub: string;
  exp: number;
}

/** The token does not count. The message may be told to whoever sent it. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/** No `none`, and no HMAC: a public key would pass for its secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_TOLERANCE_S = 5;
const FETCH_TIMEOUT_MS = 5000;

/**
 * Verifies tokens against the keys of their issuer, which are fetched when first needed and again when a token names an
 * unknown one. Throws `TokenRefused`, and any other error when the keys cannot be had.
 */
export function bearerVerifier({ jwksUrl, issuer, audience }: BearerOptions): (token: string) => Promise<Claims> {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: FETCH_TIMEOUT_MS });
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
      });
      return payload as Claims;
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) throw error;
      // JOSEError itself is what a key server that answers anything but 200 is reported as.
      if (!(error instanceof errors.JOSEError) || error.code === errors.JOSEError.code) throw error;
      throw new TokenRefused(`the token does not count: ${error.message}`, { cause: error });
    }
  };
}

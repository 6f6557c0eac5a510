import { z } from 'zod';

const Url = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'an http:// or https:// address');

/** Settings of `firebreak serve`. */
export const ApiSettings = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address of the HTTP API of firebreak serve.'),
  port: z.int().min(0).max(65_535).default(9465).describe('Its port; 0 takes a free one.'),
  jwksUrl: Url.optional().describe('Keys of the issuer of tokens, for Keycloak ISSUER/protocol/openid-connect/certs.'),
  issuer: z.string().min(1).optional().describe('`iss` that a token must have.'),
  audience: z.string().min(1).default('firebreak').describe('`aud` that a token must have.'),
  rolesClaim: z
    .string()
    .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'names with dots between them')
    .default('realm_access.roles')
    .describe('Where in a token its roles are: a list, or a text with blanks between them.'),
  viewerRole: z.string().min(1).default('firebreak-viewer').describe('Role that may look.'),
  approverRole: z
    .string()
    .min(1)
    .default('firebreak-approver')
    .describe('Role that may also answer, and pause and kill a session.'),
  adminRole: z.string().min(1).default('firebreak-admin').describe('Role that may also give and lift orders.'),
  requestsPerMinute: z
    .int()
    .min(1)
    .max(100_000)
    .default(120)
    .describe('Requests of one subject; an address may send ten times as many.'),
  historyMs: z
    .int()
    .min(60_000)
    .default(24 * 3_600_000)
    .describe('How far back findings and the trail are read.'),
  webhookUrls: z.array(Url).default([]).describe('Addresses that are told of requests, kills and failed enforcement.'),
  webhookSecret: z.string().min(16).optional().describe('Signs what is sent to them; at least 16 characters.'),
});
export type ApiSettings = z.infer<typeof ApiSettings>;

/** What only `serve` cannot be without. Throws an error that names all that is missing. */
export function checkApiSettings(settings: ApiSettings): ApiSettings & { jwksUrl: string; issuer: string } {
  const { jwksUrl, issuer, webhookUrls, webhookSecret } = settings;
  const missing = [
    ...(jwksUrl === undefined ? ['api.jwksUrl: found nothing, allowed: an address; set FIREBREAK_API__JWKS_URL'] : []),
    ...(issuer === undefined ? ['api.issuer: found nothing, allowed: a string; set FIREBREAK_API__ISSUER'] : []),
    ...(webhookUrls.length > 0 && webhookSecret === undefined
      ? [
          'api.webhookSecret: found nothing, allowed: a string, because api.webhookUrls is set; set FIREBREAK_API__WEBHOOK_SECRET_FILE',
        ]
      : []),
  ];
  if (missing.length > 0)
    throw new Error(`the configuration has mistakes:\n${missing.map((one) => `  ${one}`).join('\n')}`);
  return { ...settings, jwksUrl: jwksUrl!, issuer: issuer! };
}

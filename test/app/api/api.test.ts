import { Validator } from '@seriousme/openapi-schema-validator';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearerVerifier } from '../../../src/adapters/http/bearer.ts';
import { createKafka } from '../../../src/adapters/kafka/client.ts';
import { MemoryLog } from '../../../src/adapters/memory/log.ts';
import { MemoryOutlet } from '../../../src/adapters/memory/outlet.ts';
import { LiveView } from '../../../src/app/api/live-view.ts';
import { openApiDocument } from '../../../src/app/api/openapi.ts';
import { API_ROLES, type ApiRole } from '../../../src/app/api/roles.ts';
import { ROUTES, type Route } from '../../../src/app/api/routes.ts';
import { createApi } from '../../../src/app/api/server.ts';
import { Config } from '../../../src/app/config.ts';
import { DecisionDesk } from '../../../src/app/decision-desk.ts';
import type { Clock } from '../../../src/ports.ts';
import { startIssuer } from './issuer.ts';

const issuer = await startIssuer();
afterAll(() => issuer.close());
const logger = pino({ level: 'silent' });

/** Time has passed every token's end, so a stream ends at once; nobody waits for an answer. */
const clock: Clock = {
  nowMs: () => Date.UTC(2100, 0),
  monotonicMs: () => 0,
  sleep: async () => {},
};

/** The API on a log in memory that no analyzer reads. */
async function api(more: Record<string, unknown> = {}) {
  const { issuer: iss, jwksUrl } = issuer;
  const settings = Config.shape.api.parse({ issuer: iss, jwksUrl, ...more });
  const log = new MemoryLog({ topic: 'actions', topicId: 't', partitions: 2, clock });
  const outlet = new MemoryOutlet({ log, clock, topicPrefix: '', source: '/t', expireAfterMs: 0 });
  const kafka = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'none', logger });
  const view = new LiveView({ kafka, topicPrefix: '', historyMs: 1, clock, logger });
  view.board.verdict({
    ...{ session: 's-1', level: 'paused', command: 'c', rule: 'r', time: '2026-11-27T09:00:00.000Z' },
    position: { topicId: 't', partition: 0, offset: '1' },
  });
  const app = await createApi({
    settings,
    verify: bearerVerifier({ issuer: iss, jwksUrl, audience: settings.audience }),
    view,
    desk: new DecisionDesk({ outlet, partitions: 2, clock }),
    trailOf: async () => ({ entries: [], truncated: false }),
    clock,
    logger,
  });
  return {
    app,
    outlet,
    decisions: () => outlet.outputs.flatMap((one) => (one.topic === 'actions' ? [one.record.body] : [])),
  };
}

const BODIES: Record<NonNullable<Route['body']>, Record<string, unknown>> = {
  Release: { command: 'c', view: 'v', grant: { marks: 5 }, reason: 'agreed' },
  Reject: { command: 'c', view: 'v', reason: 'no' },
  Stop: { reason: 'odd' },
  Order: { kind: 'pause', scope: { type: 'tenant', id: 'corp' }, reason: 'stolen token' },
  Lift: { scope: { type: 'tenant', id: 'corp' }, reason: 'rotated' },
};

let keys = 0;
function request({ method, path, body }: Route, token?: string, key = `key-${++keys}`, payload = body && BODIES[body]) {
  return {
    method,
    url: path.replace('{session}', 's-1'),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(payload === undefined ? {} : { payload }),
  };
}
const route = (id: Route['id']) => ROUTES.find((one) => one.id === id)!;

describe('who may do what', () => {
  let open: Awaited<ReturnType<typeof api>>;
  beforeAll(async () => {
    open = await api({ requestsPerMinute: 10_000 });
  });
  afterAll(() => open.app.close());

  const rank = (role: ApiRole) => API_ROLES.indexOf(role);
  it.each(ROUTES.flatMap((one) => API_ROLES.map((role) => [one.method, one.path, role, one] as const)))(
    '%s %s as %s',
    async (_method, _path, role, one) => {
      const answer = await open.app.inject(request(one, await issuer.token([`firebreak-${role}`])));
      const allowed = rank(role) >= rank(one.role);
      expect(answer.statusCode).toBe(allowed ? (one.body === undefined ? 200 : 202) : 403);
      if (!allowed)
        expect(answer.json()).toEqual({ title: 'not yours to do', status: 403, detail: expect.any(String) });
    },
  );

  const badTokens: [string, () => Promise<string> | string | undefined][] = [
    ['no token', () => undefined],
    ['no token at all in it', () => 'nonsense'],
    ['an expired token', () => issuer.token(['firebreak-admin'], { exp: '-1m' })],
    ['a forged token', () => issuer.token(['firebreak-admin'], { key: 'forged' })],
    ['a token of another issuer', () => issuer.token(['firebreak-admin'], { iss: 'https://evil.example' })],
    ['a token for another audience', () => issuer.token(['firebreak-admin'], { aud: 'account' })],
    ['a token that nobody signed', async () => unsigned(await issuer.token(['firebreak-admin']))],
    ['a token whose role was changed', async () => changed(await issuer.token(['firebreak-viewer']))],
  ];
  it.each(badTokens)('%s is 401 on every route, and nothing is written', async (_, make) => {
    const before = open.outlet.outputs.length;
    for (const one of ROUTES) {
      const { statusCode, headers } = await open.app.inject(request(one, await make()));
      expect([one.id, statusCode]).toEqual([one.id, 401]);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
    }
    expect(open.outlet.outputs.length).toBe(before);
  });

  it.each([[[]], [['other']], ['firebreak-viewerx'], [undefined], [{ a: 'firebreak-admin' }]])(
    'roles %j are 403 on every route',
    async (roles) => {
      const token = await issuer.token(roles);
      for (const one of ROUTES) expect((await open.app.inject(request(one, token))).statusCode).toBe(403);
    },
  );

  it('roles may stand elsewhere, and be a text', async () => {
    const { app } = await api({ rolesClaim: 'realm_access', viewerRole: 'x' });
    expect((await app.inject(request(route('sessions'), await issuer.token(['x'])))).statusCode).toBe(403);
    const named = await api({ rolesClaim: 'preferred_username', viewerRole: 'kim' });
    expect((await named.app.inject(request(route('sessions'), await issuer.token([])))).statusCode).toBe(200);
  });

  it('keys that cannot be had are 503, not an open door', async () => {
    const { app } = await api();
    const verify = bearerVerifier({ ...issuer, jwksUrl: 'http://127.0.0.1:1/certs', audience: 'firebreak' });
    await expect(verify(await issuer.token([]))).rejects.not.toHaveProperty('name', 'TokenRefused');
    await app.close();
  });
});

function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  return `${header}.${token.split('.')[1]}.`;
}
function changed(token: string): string {
  const [header, body, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body!, 'base64url').toString());
  claims.realm_access.roles = ['firebreak-admin'];
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}

describe('a write', () => {
  it('is a decision of the subject of the token, whatever the body says', async () => {
    const { app, decisions } = await api();
    const answer = await app.inject(request(route('release'), await issuer.token(['firebreak-approver'])));
    expect(answer.json()).toEqual({ decision: expect.any(String), outcome: 'pending', findings: [], expected: 1 });
    expect(decisions()).toEqual([
      {
        ...{ id: answer.json().decision, kind: 'release', session: 's-1', command: 'c', view: 'v', reason: 'agreed' },
        ...{ grant: { marks: 5 }, by: { id: 'user-1', type: 'user', issuer: issuer.issuer, name: 'kim' } },
      },
    ]);
  });

  it('that is repeated is answered as the first one, and written once; also at once', async () => {
    const { app, decisions } = await api();
    const token = await issuer.token(['firebreak-approver']);
    const same = () => app.inject(request(route('kill'), token, 'k'));
    const answers = await Promise.all([same(), same(), same()]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.map(({ headers }) => headers['idempotency-replayed']).sort()).toEqual(['true', 'true', undefined]);
    expect(decisions()).toHaveLength(1);
  });

  it('with the key of another one is refused; the keys of another subject are its own', async () => {
    const { app, decisions } = await api();
    const token = await issuer.token(['firebreak-approver']);
    await app.inject(request(route('kill'), token, 'k'));
    expect((await app.inject(request(route('pause'), token, 'k'))).statusCode).toBe(422);
    expect((await app.inject(request(route('kill'), token, 'k', { reason: 'other' }))).statusCode).toBe(422);
    const second = await issuer.token(['firebreak-approver'], { sub: 'user-2' });
    expect((await app.inject(request(route('kill'), second, 'k'))).statusCode).toBe(202);
    expect(decisions()).toHaveLength(2);
  });

  it('gets the same id from another process, so the log knows the repetition', async () => {
    const token = await issuer.token(['firebreak-approver']);
    const ids = await Promise.all(
      [await api(), await api()].map(
        async ({ app }) => (await app.inject(request(route('kill'), token, 'k'))).json().decision,
      ),
    );
    expect(ids[0]).toBe(ids[1]);
  });

  it('that could not be written is 503, and the same request may be sent again', async () => {
    const { app, outlet, decisions } = await api();
    const token = await issuer.token(['firebreak-approver']);
    outlet.failNext(new Error('Kafka is away'), 'before');
    expect((await app.inject(request(route('kill'), token, 'k'))).statusCode).toBe(503);
    expect((await app.inject(request(route('kill'), token, 'k'))).statusCode).toBe(202);
    expect(decisions()).toHaveLength(1);
  });

  it.each<[string, Route['id'], Record<string, unknown>, RegExp]>([
    ['without a reason', 'kill', {}, /reason: found nothing/],
    ['with a field that is none', 'kill', { reason: 'r', session: 's-2' }, /session/],
    ['without a view', 'reject', { command: 'c', reason: 'r' }, /view: found nothing/],
    ['without a bound', 'release', { ...BODIES.Release, grant: { targets: ['a'] } }, /at least one of marks/],
    ['of a scope that is none', 'order', { ...BODIES.Order, scope: { type: 'world', id: 'x' } }, /scope.type/],
  ])('%s is 400 and says what is allowed', async (_, id, payload, detail) => {
    const { app, decisions } = await api();
    const answer = await app.inject(request(route(id), await issuer.token(['firebreak-admin']), 'k', payload));
    expect(answer.json()).toEqual({ title: 'not understood', status: 400, detail: expect.stringMatching(detail) });
    expect(decisions()).toEqual([]);
  });

  it('without an idempotency key is 400', async () => {
    const { app } = await api();
    const { headers, ...rest } = request(route('kill'), await issuer.token(['firebreak-admin']));
    const answer = await app.inject({ ...rest, headers: { authorization: headers.authorization! } });
    expect(answer.json().detail).toMatch(/idempotency-key: found nothing, allowed: 1 to 200 characters/);
  });
});

describe('limits', () => {
  it('hold for each subject, and say when to come back', async () => {
    const { app } = await api({ requestsPerMinute: 3 });
    const ask = async (sub: string) =>
      app.inject(request(route('sessions'), await issuer.token(['firebreak-viewer'], { sub })));
    expect([(await ask('a')).statusCode, (await ask('a')).statusCode, (await ask('a')).statusCode]).toEqual([
      200, 200, 200,
    ]);
    const fourth = await ask('a');
    expect(fourth.statusCode).toBe(429);
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('b')).statusCode).toBe(200);
  });

  it('hold for an address that has no token', async () => {
    const { app } = await api({ requestsPerMinute: 1 });
    const statuses = new Set<number>();
    for (let i = 0; i < 12; i++) statuses.add((await app.inject(request(route('sessions')))).statusCode);
    expect([...statuses]).toEqual([401, 429]);
  });
});

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const { valid, errors } = await new Validator().validate(openApiDocument());
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('is served, and names every route, its role and its answers', async () => {
    const { app } = await api();
    const served = (await app.inject('/openapi.json')).json();
    expect(served).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
    const named = Object.entries<Record<string, { 'x-role': string }>>(served.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => `${method.toUpperCase()} ${path} ${one['x-role']}`),
    );
    expect(named.sort()).toEqual(ROUTES.map(({ method, path, role }) => `${method} ${path} ${role}`).sort());
  });
});

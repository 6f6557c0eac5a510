import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Claims, TokenRefused } from '../../adapters/http/bearer.ts';
import type { AuditEntry } from '../../domain/audit.ts';
import { explainLine } from '../../domain/explain.ts';
import type { Clock } from '../../ports.ts';
import type { ApiSettings } from '../api-config.ts';
import type { DecisionDesk } from '../decision-desk.ts';
import { decided, decisionOf } from './decisions.ts';
import { EventStreams } from './event-stream.ts';
import { Idempotency, KeyReused } from './idempotency.ts';
import type { LiveView } from './live-view.ts';
import { openApiDocument } from './openapi.ts';
import { mayAct, roleOf } from './roles.ts';
import { BODIES, ROUTES, type Route } from './routes.ts';

export interface ApiParts {
  settings: ApiSettings;
  verify(token: string): Promise<Claims>;
  view: LiveView;
  desk: DecisionDesk;
  trailOf(session: string): Promise<{ entries: AuditEntry[]; truncated: boolean }>;
  clock: Clock;
  logger: Logger;
}

const BODY_BYTES_MAX = 64 * 1024;
const STREAMS_MAX = 100;
const KEY_MAX = 200;
const PER_ADDRESS = 10;
const MINUTE_MS = 60_000;

/** An error that is told to the caller. */
class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;

  constructor(status: number, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.status = status;
  }
}

const TITLES: Record<number, string> = {
  400: 'not understood',
  401: 'who are you',
  403: 'not yours to do',
  404: 'not found',
  409: 'refused',
  413: 'too large',
  415: 'not JSON',
  422: 'idempotency key reused',
  429: 'too many requests',
  503: 'not available',
};

/** The API, not listening yet. Each request is counted, believed, allowed, understood and answered, in that order. */
export async function createApi(parts: ApiParts): Promise<FastifyInstance> {
  const { view, clock, logger, settings } = parts;
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 2048 },
  });
  const streams = new EventStreams({ view, clock, max: STREAMS_MAX });
  const idempotency = new Idempotency();
  app.addHook('preClose', async () => streams.endAll());
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error instanceof Problem ? error.status : (error.statusCode ?? 500);
    if (status >= 500) logger.error({ err: error, route: request.routeOptions.url }, 'request failed');
    return sendProblem(
      reply,
      status,
      status === 500 ? 'it failed here; the log of this process says why' : error.message,
    );
  });
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, 404, 'no such route; GET /openapi.json lists them all'),
  );

  await app.register(rateLimit, { global: false });
  const allow = await guard(app, parts);
  app.get('/livez', async () => ({ status: 'ok' }));
  const document = openApiDocument();
  app.get('/openapi.json', async () => document);

  const handle: Record<'sessions' | 'session' | 'trail' | 'events', Handler> = {
    sessions: async () => ({ sessions: view.board.all() }),
    session: async (request) => {
      const session = sessionOf(request);
      const found = { session: view.board.of(session), findings: view.findingsOf(session) };
      if (found.session === undefined && found.findings.length === 0) throw new Problem(404, 'nothing was said of it');
      return found;
    },
    trail: (request) => parts.trailOf(sessionOf(request)),
    events: async (request, reply, claims) => {
      if (streams.full) throw new Problem(503, `${STREAMS_MAX} streams are open already`);
      const last = request.headers['last-event-id'];
      reply.hijack();
      await streams.serve(reply.raw, typeof last === 'string' ? last : undefined, claims.exp * 1000);
      return undefined;
    },
  };
  for (const route of ROUTES) {
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const claims = await allow(request, reply, route);
        if (route.body === undefined) return handle[route.id as keyof typeof handle](request, reply, claims);
        return write(route, request, reply, claims);
      },
    });
  }

  async function write(route: Route, request: FastifyRequest, reply: FastifyReply, claims: Claims) {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key.length === 0 || key.length > KEY_MAX) {
      throw new Problem(
        400,
        `idempotency-key: found ${key === undefined ? 'nothing' : 'another'}, allowed: 1 to ${KEY_MAX} characters`,
      );
    }
    const parsed = BODIES[route.body!].safeParse(request.body);
    if (!parsed.success) throw new Problem(400, explainLine(parsed.error, request.body));
    const session = route.path.includes('{session}') ? sessionOf(request) : undefined;
    const id = Idempotency.decisionId(claims.sub, key);
    const decision = decisionOf(route, id, claims, session, parsed.data);
    try {
      const answer = await idempotency.once(id, decision, () => {
        logger.warn({ decision: id, kind: decision.kind, session, scope: decision.scope, by: claims.sub }, 'decision');
        return decided(parts.desk, decision);
      });
      if (answer.replayed) reply.header('idempotency-replayed', 'true');
      return await reply.code(answer.status).send(answer.body);
    } catch (error) {
      if (error instanceof KeyReused) throw new Problem(422, error.message);
      throw error instanceof Problem
        ? error
        : new Problem(503, 'the decision could not be written; try again', { cause: error });
    }
  }

  logger.debug({ routes: ROUTES.length, issuer: settings.issuer }, 'api made');
  return app;
}

type Handler = (request: FastifyRequest, reply: FastifyReply, claims: Claims) => Promise<unknown>;

/** Counts, believes and allows a request, or throws the problem to answer with. */
async function guard(app: FastifyInstance, { settings, verify, logger }: ApiParts) {
  const byAddress = app.createRateLimit({
    max: settings.requestsPerMinute * PER_ADDRESS,
    timeWindow: MINUTE_MS,
    keyGenerator: ({ ip }) => `address ${ip}`,
  });
  const subjects = new WeakMap<FastifyRequest, string>();
  const bySubject = app.createRateLimit({
    max: settings.requestsPerMinute,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => `subject ${subjects.get(request)}`,
  });
  const count = async (limit: typeof byAddress, request: FastifyRequest, reply: FastifyReply) => {
    const counted = await limit(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    reply.header('retry-after', counted.ttlInSeconds);
    throw new Problem(429, `at most ${counted.max} requests a minute`);
  };
  return async (request: FastifyRequest, reply: FastifyReply, route: Route): Promise<Claims> => {
    await count(byAddress, request, reply);
    const claims = await believed(request, reply, verify);
    subjects.set(request, claims.sub);
    await count(bySubject, request, reply);
    const role = roleOf(claims, settings);
    if (mayAct(role, route.role)) return claims;
    logger.warn({ route: route.id, by: claims.sub, role: role ?? 'none' }, 'not allowed');
    throw new Problem(403, `needs the role ${route.role}; the token has ${role ?? `none in ${settings.rolesClaim}`}`);
  };
}

async function believed(request: FastifyRequest, reply: FastifyReply, verify: ApiParts['verify']): Promise<Claims> {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
  try {
    if (token !== undefined) return await verify(token);
  } catch (error) {
    if (!(error instanceof TokenRefused)) {
      throw new Problem(503, 'the keys of the issuer cannot be had', { cause: error });
    }
    reply.header('www-authenticate', 'Bearer error="invalid_token"');
    throw new Problem(401, error.message);
  }
  reply.header('www-authenticate', 'Bearer');
  throw new Problem(401, 'no token; allowed: authorization: Bearer TOKEN');
}

function sessionOf({ params }: FastifyRequest): string {
  return (params as { session: string }).session;
}

function sendProblem(reply: FastifyReply, status: number, detail: string) {
  const body = { title: TITLES[status] ?? 'failed', status, detail };
  return reply.code(status).type('application/problem+json').send(JSON.stringify(body));
}

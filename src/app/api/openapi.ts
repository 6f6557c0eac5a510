import { z } from 'zod';
import { ANSWERS, type AnswerName, BODIES, ROUTES, type Route } from './routes.ts';

/** Version of the API, not of the package: it changes with the routes. */
const API_VERSION = '1.0.0';

const PROBLEMS: Record<string, string> = {
  '400': 'The request is not understood.',
  '401': 'No token, or one that does not count.',
  '403': 'The token has not the role.',
  '429': 'Too many requests; see retry-after.',
  '503': 'The keys of the issuer or Kafka cannot be had.',
};

/** The OpenAPI 3.1 document of all routes, made from the same table that the server answers by. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    const at = paths[route.path] ?? {};
    paths[route.path] = at;
    at[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Firebreak API',
      version: API_VERSION,
      description:
        'How sessions of AI agents stand, and the answers of people. Every write is a signed decision in the log.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: Object.fromEntries(
        Object.entries({ ...BODIES, ...ANSWERS }).map(([name, schema]) => [name, jsonOf(schema)]),
      ),
    },
  };
}

function operationOf(route: Route): Record<string, unknown> {
  const { id, path, role, summary, body, answer } = route;
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }));
  return {
    operationId: id,
    summary,
    description: `Needs the role ${role}.`,
    'x-role': role,
    parameters: [
      ...parameters,
      ...(body === undefined ? [] : [IDEMPOTENCY_KEY]),
      ...(id === 'events' ? [LAST_EVENT] : []),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: { ...successOf(route), ...problemsOf(answer) },
  };
}

const IDEMPOTENCY_KEY = {
  name: 'idempotency-key',
  in: 'header',
  required: true,
  description: 'Of the caller’s making; a repeated request with the same key is answered as the first.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

const LAST_EVENT = {
  name: 'last-event-id',
  in: 'header',
  required: false,
  description: 'Id of the last finding that was seen; what came after it is sent first, as far as it is kept.',
  schema: { type: 'string' },
};

function successOf({ answer, body }: Route): Record<string, unknown> {
  if (answer === undefined) {
    return {
      '200': {
        description: 'One finding for each event.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
    };
  }
  const content = json(answer);
  if (body === undefined) return { '200': { description: 'Found.', content } };
  return {
    '200': { description: 'It counts.', content },
    '202': { description: 'Written, and not judged yet.', content },
    '409': { description: 'Written, and refused by the log; the findings say why.', content },
    '422': { description: 'The idempotency key was used for another request.', content: problem() },
  };
}

function problemsOf(answer: AnswerName | undefined): Record<string, unknown> {
  const stated = answer === 'Decided' ? PROBLEMS : { ...PROBLEMS, '404': 'Nothing was said of the session.' };
  return Object.fromEntries(
    Object.entries(stated).map(([status, description]) => [status, { description, content: problem() }]),
  );
}

function json(name: string) {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function problem() {
  return { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
}

function jsonOf(schema: z.ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' }) as Record<
    string,
    unknown
  >;
  return rest;
}

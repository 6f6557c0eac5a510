import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Exposed;
  /** The same for a scraper that accepts OpenMetrics. */
  openMetrics: Exposed;
  /** Why this process cannot judge now; empty when it can. */
  notReady(): readonly string[];
}

interface Exposed {
  contentType: string;
  metrics(): Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const OPEN_METRICS = 'application/openmetrics-text';

/** Asked with the media types that the client accepts. */
type Route = (accept: string) => Answer | Promise<Answer>;

interface Answer {
  status: number;
  contentType: string;
  body: string;
}

/**
 * `/metrics` for Prometheus, `/livez` (the event loop answers, nothing else: a restart mends neither Kafka nor Redis),
 * `/readyz` (503 with the reasons). Throws when the port cannot be had.
 */
export async function serveHealth({
  host,
  port,
  metrics,
  openMetrics,
  notReady,
}: HealthOptions): Promise<HealthServer> {
  const routes: Readonly<Record<string, Route>> = {
    '/metrics': async (accept) => {
      const exposed = accept.includes(OPEN_METRICS) ? openMetrics : metrics;
      return { status: 200, contentType: exposed.contentType, body: await exposed.metrics() };
    },
    '/livez': () => json(200, { status: 'ok' }),
    '/readyz': () => {
      const reasons = notReady();
      return reasons.length === 0 ? json(200, { status: 'ok' }) : json(503, { status: 'not ready', reasons });
    },
  };
  const server = createServer(async ({ url, method, headers }, response) => {
    const path = (url ?? '').split('?', 1)[0]!;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) {
      send(response, json(404, { error: 'not found', allowed: Object.keys(routes) }));
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, json(405, { error: 'method not allowed', allowed: ['GET', 'HEAD'] }));
    } else {
      send(response, await answer(route, headers.accept ?? ''));
    }
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new Error(`http ${host}:${port} cannot be listened on (${cause.code})`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** A scrape that fails is Prometheus' to see, and no reason to end the process. */
async function answer(route: Route, accept: string): Promise<Answer> {
  try {
    return await route(accept);
  } catch (error) {
    return json(500, { error: (error as Error).message });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  // Node leaves the body of an answer to HEAD out.
  response.end(body);
}

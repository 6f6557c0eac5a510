import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HealthServer, serveHealth } from '../../../src/adapters/http/health.ts';

let reasons: string[];
let scrape: () => Promise<string>;
let server: HealthServer;
beforeEach(async () => {
  reasons = [];
  scrape = async () => 'up 1\n';
  server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: () => scrape() },
    openMetrics: { contentType: 'application/openmetrics-text', metrics: async () => 'up 1\n# EOF\n' },
    notReady: () => reasons,
  });
});
afterEach(() => server.close());

function call(path: string, method = 'GET', headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('serveHealth', () => {
  it.each([
    ['GET', '/livez', 200, '{"status":"ok"}\n'],
    ['GET', '/readyz', 200, '{"status":"ok"}\n'],
    ['GET', '/readyz?verbose', 200, '{"status":"ok"}\n'],
    ['GET', '/metrics', 200, 'up 1\n'],
    ['HEAD', '/metrics', 200, ''],
    ['GET', '/', 404, '{"error":"not found","allowed":["/metrics","/livez","/readyz"]}\n'],
    ['GET', '//', 404, expect.anything()],
    ['GET', '/toString', 404, expect.anything()],
    ['POST', '/nothing', 404, expect.anything()],
    ['POST', '/livez', 405, '{"error":"method not allowed","allowed":["GET","HEAD"]}\n'],
    ['DELETE', '/metrics', 405, expect.anything()],
  ])('%s %s: %d', async (method, path, status, body) => {
    const answer = await call(path, method);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(body);
    expect(answer.headers['allow']).toBe(status === 405 ? 'GET, HEAD' : undefined);
    expect(answer.headers['content-type']).toBe(
      path === '/metrics' && status === 200 ? 'text/plain; version=0.0.4' : 'application/json',
    );
  });

  it('gives OpenMetrics to a scraper that accepts it', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
    const { headers, body } = await call('/metrics', 'GET', { accept });
    expect([headers['content-type'], body]).toEqual(['application/openmetrics-text', 'up 1\n# EOF\n']);
  });

  it('is not ready for as long as there is a reason, and alive all the same', async () => {
    reasons = ['redis: no connection', 'partition 3: rebuilding'];
    const answer = await call('/readyz');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toEqual({ status: 'not ready', reasons });
    expect((await call('/livez')).status).toBe(200);
    reasons = [];
    expect((await call('/readyz')).status).toBe(200);
  });

  it('answers 500 to a scrape that fails, and goes on', async () => {
    scrape = () => Promise.reject(new Error('no numbers'));
    expect(await call('/metrics')).toMatchObject({ status: 500, body: '{"error":"no numbers"}\n' });
    scrape = async () => 'up 1\n';
    expect((await call('/metrics')).status).toBe(200);
  });

  it('survives what is no HTTP', async () => {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      socket
        .on('close', () => resolve())
        .on('error', reject)
        .resume();
    });
    expect((await call('/livez')).status).toBe(200);
  });

  it('names the port that is taken', async () => {
    const again = serveHealth({
      host: '127.0.0.1',
      port: server.port,
      metrics: { contentType: '', metrics: async () => '' },
      openMetrics: { contentType: '', metrics: async () => '' },
      notReady: () => [],
    });
    await expect(again).rejects.toThrow(`http 127.0.0.1:${server.port} cannot be listened on (EADDRINUSE)`);
  });

  it('closes although a client holds its connection', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    await server.close();
    await expect(call('/livez')).rejects.toThrow(/ECONNREFUSED/);
    server = await serveHealth({
      host: '127.0.0.1',
      port: server.port,
      metrics: { contentType: '', metrics: async () => '' },
      openMetrics: { contentType: '', metrics: async () => '' },
      notReady: () => [],
    });
  });
});

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { Webhooks, webhookSignature } from '../../../src/adapters/http/webhooks.ts';
import { ManualClock } from '../../../src/adapters/memory/clock.ts';

const started: (() => unknown)[] = [];
afterAll(() => Promise.all(started.map((stop) => stop())));

/** A receiver that answers with these statuses in order, the last one for ever, and what it got. */
async function receiver(...statuses: number[]) {
  const got: { id: string; atMs: number; headers: IncomingHttpHeaders; body: string }[] = [];
  const clock = new ManualClock(Date.UTC(2026, 10, 27));
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    got.push({ id: JSON.parse(body).id, atMs: clock.monotonicMs(), headers: request.headers, body });
    response.writeHead(statuses[Math.min(got.length, statuses.length) - 1]!).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`;
  const webhooks = new Webhooks({ urls: [url], secret: 'a secret of 16 or more', clock, logger });
  started.push(() => webhooks.stop().then(() => server.close()));
  /** Lets time pass until so many requests have come. */
  const came = async (count: number) => {
    while (got.length < count) {
      if (clock.sleepers > 0) await clock.advance(1000);
      else await setImmediate();
    }
  };
  return { got, lines, webhooks, came };
}

it('tells with a signature that a receiver can verify, and a timestamp', async () => {
  const { got, webhooks, came } = await receiver(204);
  webhooks.tell({ id: 'f1', text: 'killed' });
  await came(1);
  const [{ headers, body }] = got as [(typeof got)[number]];
  expect(JSON.parse(body)).toEqual({ id: 'f1', text: 'killed' });
  expect(headers['firebreak-timestamp']).toBe(String(Date.UTC(2026, 10, 27) / 1000));
  const signed = webhookSignature('a secret of 16 or more', String(headers['firebreak-timestamp']), body);
  expect(headers['firebreak-signature']).toBe(signed);
  expect(webhookSignature('another', String(headers['firebreak-timestamp']), body)).not.toBe(signed);
});

it('tries again later and later, and keeps the order', async () => {
  const { got, webhooks, came } = await receiver(500, 429, 503, 200);
  webhooks.tell({ id: 'a', text: '' });
  webhooks.tell({ id: 'b', text: '' });
  await came(5);
  expect(got.map(({ id }) => id)).toEqual(['a', 'a', 'a', 'a', 'b']);
  expect(got.map(({ atMs }) => atMs)).toEqual([0, 1000, 3000, 7000, 7000]);
});

it('gives up what is refused for good, and says so without the address', async () => {
  const { got, lines, webhooks, came } = await receiver(410, 200);
  webhooks.tell({ id: 'a', text: '' });
  webhooks.tell({ id: 'b', text: '' });
  await came(2);
  expect(got.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ msg: 'webhook given up', notice: 'a', failure: 'status 410' }),
  ]);
  expect(lines.join('')).not.toContain('secret-path');
});

it('gives up after ten attempts', async () => {
  const { got, lines, webhooks, came } = await receiver(500);
  webhooks.tell({ id: 'a', text: '' });
  webhooks.tell({ id: 'b', text: '' });
  await came(11);
  expect(got.map(({ id }) => id).join('')).toBe('aaaaaaaaaab');
  expect(lines.filter((line) => line.includes('webhook given up'))).toHaveLength(1);
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { webhookSignature } from '../../../src/adapters/http/webhooks.ts';
import { startApi } from '../../../src/app/api/serve.ts';
import { Config } from '../../../src/app/config.ts';
import { auditHashOf } from '../../../src/domain/audit.ts';
import { controlKey } from '../../../src/domain/partitioner.ts';
import { askedSession } from '../asked-session.ts';
import { startIssuer } from './issuer.ts';

const SECRET = 'a secret of this test';
const asked = await askedSession();
const { session, request, outlet, shared, home } = asked;
const issuer = await startIssuer();

const told: { id: string; code: string; text: string; attempt: string; signed: boolean }[] = [];
let heard = () => {};
const chat = createServer(async (incoming, response) => {
  let body = '';
  for await (const part of incoming) body += part;
  const { id, code, text } = JSON.parse(body);
  const header = (name: string) => String(incoming.headers[name]);
  const signed = header('firebreak-signature') === webhookSignature(SECRET, header('firebreak-timestamp'), body);
  told.push({ id, code, text, attempt: header('firebreak-attempt'), signed });
  response.writeHead(told.length === 1 ? 503 : 204).end();
  heard();
});
await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));

const service = await startApi(
  Config.parse({
    kafka: { brokers: asked.brokers, topicPrefix: asked.topicPrefix },
    keys: { file: join(asked.folder, 'keys.json') },
    api: {
      ...{ port: 0, issuer: issuer.issuer, jwksUrl: issuer.jwksUrl, webhookSecret: SECRET },
      webhookUrls: [`http://127.0.0.1:${(chat.address() as AddressInfo).port}/hook`],
    },
  }),
  pino({ level: 'silent' }),
);
afterAll(async () => {
  await service.stop();
  chat.close();
  await Promise.all([issuer.close(), asked.close()]);
});

async function call(path: string, roles: string[], body?: unknown, headers: Record<string, string> = {}) {
  return fetch(`http://127.0.0.1:${service.port}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      authorization: `Bearer ${await issuer.token(roles)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': 'k' }),
      ...headers,
    },
  });
}

const viewer = ['firebreak-viewer'];
const answer = { command: request.request!.command, view: request.view, reason: 'agreed' };

it('shows how sessions stand, from Kafka', async () => {
  const { sessions } = (await (await call('/v1/sessions', viewer)).json()) as { sessions: unknown[] };
  expect(sessions).toEqual([expect.objectContaining({ session, level: 'paused', request })]);
  const one = await (await call(`/v1/sessions/${session}`, viewer)).json();
  expect(one).toMatchObject({ session: { session }, findings: [request] });
  expect((await call('/v1/sessions/nobody', viewer)).status).toBe(404);
});

it('tells chat tools, also of what was asked before it began: signed, and again when nobody took it', async () => {
  while (told.length < 2) {
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  }
  const text = `Session ${session} is paused and waits for an answer: 21 deletions in 10 min. firebreak show ${session}`;
  const notice = { id: request.id, code: 'decision_requested', text, signed: true };
  expect(told).toEqual([
    { ...notice, attempt: '1' },
    { ...notice, attempt: '2' },
  ]);
});

it('answers a release when the log has judged it, and streams what the analyzers say', async () => {
  const stream = await call('/v1/events', viewer);
  const events = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await events.read()).value).toContain(': listening');
  const grant = { marks: 5 };
  const released = await call(`/v1/sessions/${session}/release`, ['firebreak-approver'], { ...answer, grant });
  expect(released.status).toBe(200);
  const { decision, outcome } = (await released.json()) as { decision: string; outcome: string };
  expect(outcome).toBe('accepted');
  expect(asked.decisions.at(-1)).toMatchObject({
    id: decision,
    kind: 'release',
    grant,
    by: { id: 'user-1', name: 'kim' },
  });
  let seen = '';
  while (!seen.includes('\n\n')) seen += (await events.read()).value ?? '';
  const [, id] = /^id: (.+)\nevent: decision_accepted\ndata: \{/.exec(seen)!;
  expect(seen).toContain(decision);
  await events.cancel();

  const again = await call('/v1/events', viewer, undefined, { 'last-event-id': request.id });
  const missed = again.body!.pipeThrough(new TextDecoderStream()).getReader();
  let replayed = '';
  while (!replayed.includes(': listening')) replayed += (await missed.read()).value ?? '';
  expect(replayed).toContain(`id: ${id}`);
  await missed.cancel();
});

it('says that the log refuses a decision', async () => {
  const stale = { ...answer, reason: 'stale' };
  const refused = await call(`/v1/sessions/${session}/reject`, ['firebreak-approver'], stale, {
    'idempotency-key': 'k2',
  });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ outcome: 'refused', findings: [{ refusal: 'stale_view' }] });
});

it('reads the audit trail of a session, each entry once', async () => {
  const key = controlKey(home.partition);
  const entry = { chain: '0', index: 0, previous: '', time: shared.time, position: home, session, finding: request };
  const hashed = { ...entry, hash: auditHashOf(entry) };
  const other = { ...hashed, index: 1, session: 'another' };
  await outlet.publish([hashed, hashed, other].map((one) => ({ topic: 'audit', key, entry: one })));
  const { entries } = (await (await call(`/v1/sessions/${session}/audit`, viewer)).json()) as { entries: unknown[] };
  expect(entries).toEqual([hashed]);
});

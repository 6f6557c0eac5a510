import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { exportTraces } from '../../../src/adapters/telemetry/otlp.ts';
import { traceBatch } from '../../../src/adapters/telemetry/tracing.ts';
import type { Command } from '../../../src/domain/command.ts';
import type { LogRecord } from '../../../src/domain/record.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

interface OtlpSpan {
  name: string;
  traceId: string;
  parentSpanId?: string;
  links?: { traceId: string; spanId: string }[];
  attributes: { key: string; value: { stringValue?: string } }[];
}

interface OtlpBody {
  resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** What a collector does with OTLP over HTTP: takes it, and keeps it here. */
async function receiver() {
  const bodies: { path: string; body: OtlpBody }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push({ path: request.url!, body: JSON.parse(Buffer.concat(chunks).toString()) as OtlpBody });
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { bodies, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

it('a batch and its decision reach a collector: linked to the event, with the reason why', async () => {
  const { bodies, endpoint } = await receiver();
  const stop = exportTraces(endpoint, '1.2.3');
  const event = { id: 'e', time: '', session: 's', agent: { id: 'a' }, tool: 't', action: 'read' } as const;
  const traced = { ...event, trace: { traceparent: `00-${TRACE}-${PARENT}-01` } };
  const record: LogRecord = { offset: 8, appendMs: 0, body: { type: 'action', event: traced } };
  const position = { topicId: 'x', partition: 3, offset: '8' };
  const batch = traceBatch('firebreak.actions', 3, [record]);
  batch.decision({ id: 'c-1', action: 'kill', rule: 'loop', session: 's', triggerEventId: 'e', position } as Command);
  batch.end();
  await stop();
  expect(bodies.map(({ path }) => path)).toEqual(['/v1/traces']);
  const [{ resource, scopeSpans }] = bodies[0]!.body.resourceSpans as [OtlpBody['resourceSpans'][number]];
  expect(resource.attributes).toContainEqual({ key: 'service.version', value: { stringValue: '1.2.3' } });
  const spans = scopeSpans.flatMap((one) => one.spans);
  const named = (name: string) => spans.find((one) => one.name === name)!;
  expect(named('firebreak.batch').links).toMatchObject([{ traceId: TRACE, spanId: PARENT }]);
  expect(named('firebreak.decision')).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
  expect(named('firebreak.decision').attributes).toContainEqual({
    key: 'firebreak.rule',
    value: { stringValue: 'loop' },
  });
});

it('a collector that is away costs spans, and nothing else', async () => {
  const stop = exportTraces('http://127.0.0.1:1', '1.2.3');
  traceBatch('firebreak.actions', 3, []).end();
  await expect(stop()).resolves.toBeUndefined();
});

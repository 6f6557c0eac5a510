import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { parseTraceparent, traceBatch } from '../../../src/adapters/telemetry/tracing.ts';
import type { Command } from '../../../src/domain/command.ts';
import type { LogRecord } from '../../../src/domain/record.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

function record(offset: number, traceparent?: string): LogRecord {
  const event = { id: `e-${offset}`, time: '', session: 's', agent: { id: 'a' }, tool: 't', action: 'read' } as const;
  const trace = traceparent === undefined ? {} : { trace: { traceparent } };
  return { offset, appendMs: 0, body: { type: 'action', event: { ...event, ...trace } } };
}

function command(offset: string): Command {
  const position = { topicId: 'x', partition: 3, offset };
  return { id: 'c-1', action: 'kill', rule: 'loop', session: 's', triggerEventId: 'e', position } as Command;
}

function withSdk() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  return {
    spans: () => exporter.getFinishedSpans(),
    named: (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name),
  };
}

afterEach(() => trace.disable());

describe('traceBatch', () => {
  it('links a batch to the traces of its events, each once', () => {
    const { named } = withSdk();
    const other = `00-${TRACE.replace('0', '1')}-${PARENT}-00`;
    const batch = traceBatch('firebreak.actions', 3, [
      record(1, `00-${TRACE}-${PARENT}-01`),
      record(2, `00-${TRACE}-${PARENT}-01`),
      record(3, 'nonsense'),
      record(4),
      { offset: 5, appendMs: 0, body: { type: 'tick' } },
      record(6, other),
    ]);
    batch.end();
    const [span] = named('firebreak.batch');
    expect(span).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: { 'messaging.batch.message_count': 6, 'messaging.destination.partition.id': '3' },
      status: { code: SpanStatusCode.UNSET },
    });
    expect(span!.links.map(({ context }) => [context.traceId, context.spanId])).toEqual([
      [TRACE, PARENT],
      [TRACE.replace('0', '1'), PARENT],
    ]);
  });

  it('continues the trace of the event that caused a command', () => {
    const { named } = withSdk();
    const batch = traceBatch('firebreak.actions', 3, [record(7), record(8, `00-${TRACE}-${PARENT}-01`)]);
    expect(batch.decision(command('8'))).toBe(TRACE);
    batch.end();
    const [decision] = named('firebreak.decision');
    const [span] = named('firebreak.batch');
    expect(decision!.spanContext().traceId).toBe(TRACE);
    expect(decision!.parentSpanContext?.spanId).toBe(PARENT);
    expect(decision!.links.map(({ context }) => context.spanId)).toEqual([span!.spanContext().spanId]);
    expect(decision!.attributes).toMatchObject({ 'firebreak.command.action': 'kill', 'firebreak.session': 's' });
  });

  it.each([
    ['an event without a trace', '7'],
    ['a record before the batch', '5'],
  ])('begins a trace for a command that %s caused', (_, offset) => {
    const { named } = withSdk();
    const batch = traceBatch('firebreak.actions', 3, [record(7)]);
    batch.decision(command(offset));
    batch.end();
    expect(named('firebreak.decision')[0]!.parentSpanContext).toBeUndefined();
  });

  it('shows what a batch failed with', () => {
    const { named } = withSdk();
    traceBatch('firebreak.actions', 3, []).end(new Error('fenced'));
    expect(named('firebreak.batch')[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'fenced' },
      events: [{ name: 'exception' }],
    });
  });

  it('does nothing without an SDK', () => {
    const batch = traceBatch('firebreak.actions', 3, [record(8, `00-${TRACE}-${PARENT}-01`)]);
    expect(batch.decision(command('8'))).toBe(TRACE);
    batch.end();
    const { spans } = withSdk();
    expect(spans()).toEqual([]);
  });

  it('uses an SDK that comes later', () => {
    traceBatch('firebreak.actions', 0, []).end();
    const { spans } = withSdk();
    traceBatch('firebreak.actions', 0, []).end();
    expect(spans()).toHaveLength(1);
  });
});

describe('parseTraceparent', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, 1],
    [`00-${TRACE}-${PARENT}-00`, 0],
    [`00-${TRACE}-${PARENT}-ff`, 1],
    [`cc-${TRACE}-${PARENT}-01-what-comes`, 1],
  ])('reads %s', (text, traceFlags) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: PARENT, traceFlags, isRemote: true });
  });

  it.each([
    '',
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    ` 00-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01.`,
  ])('refuses %j', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

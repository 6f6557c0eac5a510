import {
  type Context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Command } from '../../domain/command.ts';
import type { LogRecord } from '../../domain/record.ts';

/** The default limit of the SDK. Events beyond it are not linked. */
const LINKS_MAX = 128;

/** The trace of one batch. Without an SDK in the process it costs one call. */
export interface BatchTrace {
  /**
   * A span of its own for a command: it continues the trace of the event that caused it, if the batch holds it. Answers
   * the id of that trace; undefined where there is none, without an SDK and without a trace of the event.
   */
  decision(command: Command): string | undefined;
  /** Call once. `failure` is what the batch ended with. */
  end(failure?: Error): void;
}

export function traceBatch(topic: string, partition: number, records: readonly LogRecord[]): BatchTrace {
  // Asked for each time: the deployer's SDK may be registered after this module was loaded.
  const tracer = trace.getTracer('firebreak');
  const span = tracer.startSpan('firebreak.batch', {
    kind: SpanKind.CONSUMER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'judge',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': records.length,
    },
  });
  if (span.isRecording()) span.addLinks(linksOf(records));
  return {
    decision(command) {
      const cause = records.find(({ offset }) => String(offset) === command.position.offset);
      const decision = tracer.startSpan(
        'firebreak.decision',
        {
          kind: SpanKind.PRODUCER,
          links: [{ context: span.spanContext() }],
          attributes: {
            'firebreak.command.id': command.id,
            'firebreak.command.action': command.action,
            'firebreak.rule': command.rule,
            'firebreak.trigger.event': command.triggerEventId,
            ...(command.session === undefined ? {} : { 'firebreak.session': command.session }),
          },
        },
        parentOf(cause),
      );
      decision.end();
      const context = decision.spanContext();
      return isSpanContextValid(context) ? context.traceId : undefined;
    },
    end(failure) {
      endSpan(span, failure);
    },
  };
}

function endSpan(span: Span, failure: Error | undefined): void {
  if (failure !== undefined) {
    span.recordException(failure);
    span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
  }
  span.end();
}

function linksOf(records: readonly LogRecord[]): Link[] {
  const seen = new Map<string, Link>();
  for (const record of records) {
    const traceparent = traceparentOf(record);
    if (traceparent === undefined || seen.has(traceparent)) continue;
    const context = parseTraceparent(traceparent);
    if (context !== undefined) seen.set(traceparent, { context });
    if (seen.size === LINKS_MAX) break;
  }
  return [...seen.values()];
}

function parentOf(record: LogRecord | undefined): Context {
  const traceparent = record === undefined ? undefined : traceparentOf(record);
  const context = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context);
}

function traceparentOf({ body }: LogRecord): string | undefined {
  return body.type === 'action' ? body.event.trace?.traceparent : undefined;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/** W3C Trace Context, level 1; a later version is read by its first four fields, as the standard asks. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const found = TRACEPARENT.exec(text);
  if (found === null || (text.startsWith('00') && text.length !== 55)) return undefined;
  const context = {
    traceId: found[1]!,
    spanId: found[2]!,
    traceFlags: Number.parseInt(found[3]!, 16) & 1,
    isRemote: true,
  };
  return isSpanContextValid(context) ? context : undefined;
}

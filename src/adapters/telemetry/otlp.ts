import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

/**
 * From here on the spans of this process go to a collector, OTLP over HTTP, gathered and in the background: a collector that
 * is away costs spans, never decisions. Events that bring a trace are sampled as it says, all others always.
 *
 * @param endpoint such as `http://collector:4318`; `/v1/traces` is put behind it
 * @returns what sends the rest and ends it
 */
export function exportTraces(endpoint: string, version: string): () => Promise<void> {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'firebreak', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  trace.setGlobalTracerProvider(provider);
  return async () => {
    trace.disable();
    // The last spans of a process that stops are not worth a stop that fails.
    await provider.shutdown().catch(() => undefined);
  };
}

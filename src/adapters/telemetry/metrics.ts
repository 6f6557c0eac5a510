import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry, type RegistryContentType } from 'prom-client';
import type { Clock } from '../../ports.ts';
import { DECISION_METRICS } from './decision-metrics.ts';
import { METRIC_PREFIX, type MetricDefinition } from './metric.ts';
import { OWNERSHIP_METRICS } from './ownership-metrics.ts';
import { PIPELINE_METRICS } from './pipeline-metrics.ts';
import type { Durations, Stats } from './stats.ts';

/** Every metric of Firebreak's own, in the order of the reference page. */
export const METRICS: readonly MetricDefinition[] = [...PIPELINE_METRICS, ...DECISION_METRICS, ...OWNERSHIP_METRICS];

/** `openmetrics` has exemplars: the trace of one command in each bucket of a latency. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

/** The metrics of a process, read from `stats` at each scrape. Process metrics of prom-client are among them. */
export function metricsOf(
  stats: Stats,
  clock: Clock,
  format: ExpositionFormat = 'prometheus',
): Registry<RegistryContentType> {
  const registry: Registry<RegistryContentType> = new Registry();
  if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  for (const metric of METRICS) register(metric, registry, stats, clock);
  return registry;
}

function register(metric: MetricDefinition, registry: Registry<RegistryContentType>, stats: Stats, clock: Clock): void {
  const { help } = metric;
  const name = `${METRIC_PREFIX}${metric.name}`;
  if (metric.type === 'histogram') {
    registry.registerMetric(durationHistogram(name, help, metric.read(stats)));
    return;
  }
  const { read } = metric;
  const options = { name, help, labelNames: [...metric.labels], registers: [registry] };
  if (metric.type === 'counter') {
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of read(stats, clock)) this.inc(labels, value);
      },
    });
  } else {
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of read(stats, clock)) this.set(labels, value);
      },
    });
  }
}

/**
 * A histogram whose buckets were filled elsewhere. prom-client's own can only be filled one value at a time; a registry
 * asks a metric for nothing but its name and `get()`.
 */
function durationHistogram(name: string, help: string, durations: Durations): Histogram {
  const metric = {
    name,
    help,
    type: 'histogram',
    get: async () => ({ name, help, type: metric.type, aggregator: 'sum', values: values() }),
  };
  const values = () => {
    let total = 0;
    const buckets = durations.counts.map((count, at) => {
      total += count;
      const boundMs = durations.boundsMs[at];
      const le = boundMs === undefined ? '+Inf' : boundMs / 1000;
      const seen = durations.exemplars[at];
      const exemplar = seen && {
        labelSet: { trace_id: seen.traceId },
        value: seen.durationMs / 1000,
        timestamp: seen.atMs / 1000,
      };
      return { labels: { le }, value: total, metricName: `${name}_bucket`, ...(exemplar && { exemplar }) };
    });
    return [
      ...buckets,
      { labels: {}, value: durations.sumMs / 1000, metricName: `${name}_sum` },
      { labels: {}, value: total, metricName: `${name}_count` },
    ];
  };
  return metric as unknown as Histogram;
}

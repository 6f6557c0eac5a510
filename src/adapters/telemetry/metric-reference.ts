import { METRIC_PREFIX, type MetricDefinition } from './metric.ts';
import { METRICS } from './metrics.ts';

const HEAD = `# Metrics

Written by \`npm run ops\` from the code; do not edit. Labels come from closed sets, never from events. Beside these every
process shows those of Node and the process itself (\`nodejs_eventloop_lag_p99_seconds\`, \`process_resident_memory_bytes\`,
\`process_cpu_seconds_total\` and others).

Counters begin at 0 with each process: use \`rate\` or \`increase\`.
`;

/** The page that lists every metric: what `deploy/metrics.md` holds. */
export function metricReference(): string {
  const rows = METRICS.map((metric) => `| ${cells(metric).join(' | ')} |`);
  return `${[HEAD, '| metric | type | what it is | what to make of it |', '|---|---|---|---|', ...rows].join('\n')}\n`;
}

function cells(metric: MetricDefinition): string[] {
  const labels = metric.type === 'histogram' || metric.labels.length === 0 ? '' : `{${metric.labels.join(',')}}`;
  return [`\`${METRIC_PREFIX}${metric.name}${labels}\``, metric.type, metric.help, metric.watch];
}

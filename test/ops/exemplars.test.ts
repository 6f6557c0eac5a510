import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HealthServer, serveHealth } from '../../src/adapters/http/health.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { metricsOf } from '../../src/adapters/telemetry/metrics.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import type { AuditEntry } from '../../src/domain/audit.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import { type PrometheusService, startPrometheus } from '../services/prometheus.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const stats = new Stats();
let server: HealthServer;
let prometheus: PrometheusService;
beforeAll(async () => {
  server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    metrics: metricsOf(stats, systemClock),
    openMetrics: metricsOf(stats, systemClock, 'openmetrics'),
    notReady: () => [],
  });
  prometheus = await startPrometheus({ targets: [`127.0.0.1:${server.port}`], rules: [], interval: '1s' });
}, 120_000);
afterAll(async () => {
  await prometheus?.stop();
  await server?.close();
});

function published(command: string): AuditEntry {
  return { time: formatInstant(Date.now()), published: { command, detectToPublishMs: 42 } } as AuditEntry;
}

it('a Prometheus stores the trace of a command with its latency, and every metric under the name that it always has', {
  timeout: 60_000,
}, async () => {
  stats.noteTrace('cmd-1', TRACE);
  stats.observeAudit(published('cmd-of-nobody'));
  stats.observeAudit(published('cmd-1'));
  stats.countRecord({ type: 'tick' });
  const latency = 'firebreak_detect_to_publish_seconds_bucket';
  await expect.poll(() => prometheus.exemplars(latency), { timeout: 30_000 }).toEqual([{ trace_id: TRACE }]);
  expect(await prometheus.query('firebreak_records_total{type="tick"}')).toMatchObject([{ value: 1 }]);
  const plain = await metricsOf(stats, systemClock).metrics();
  const names = new Set([...plain.matchAll(/^(firebreak_\w+)/gm)].map(([, name]) => name!));
  const stored = await prometheus.query('count by (__name__) ({__name__=~"firebreak_.+"})');
  expect(new Set(stored.map(({ metric }) => metric['__name__']))).toEqual(names);
});

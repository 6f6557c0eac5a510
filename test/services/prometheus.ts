import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startGuarded } from './guarded.ts';
import { ensureInstalled, freePorts, say } from './installed.ts';

export interface PrometheusOptions {
  /** HOST:PORT of what it scrapes as job `firebreak`; more with `scrape`. */
  targets: readonly string[];
  /** Files of rules. */
  rules: readonly string[];
  /** As Prometheus writes durations. */
  interval: string;
  port?: number;
}

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export interface PrometheusService {
  url: string;
  /** Scrapes these from now on, and no others. */
  scrape(targets: readonly string[]): void;
  /** The value of an expression now. Throws where Prometheus refuses it. */
  query(expr: string): Promise<Sample[]>;
  /** Labels of the exemplars that a series has had in the last hour. */
  exemplars(expr: string): Promise<Record<string, string>[]>;
  /** Names of the alerts that fire now. */
  firing(): Promise<string[]>;
  stop(): Promise<void>;
}

/** A Prometheus with a database of its own, always a local process: no image is needed for what Debian has. */
export async function startPrometheus({
  targets,
  rules,
  interval,
  port: given,
}: PrometheusOptions): Promise<PrometheusService> {
  await ensureInstalled('prometheus', ['prometheus']);
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-prometheus-'));
  const port = given ?? (await freePorts(1))[0]!;
  const url = `http://127.0.0.1:${port}`;
  const targetFile = join(folder, 'targets.json');
  const scrape = (now: readonly string[]) => writeFileSync(targetFile, JSON.stringify([{ targets: now }]));
  scrape(targets);
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: rules,
    scrape_configs: [{ job_name: 'firebreak', file_sd_configs: [{ files: [targetFile], refresh_interval: '1s' }] }],
  };
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const server = startGuarded(
    [
      'prometheus',
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
      '--enable-feature=exemplar-storage',
    ],
    folder,
  );
  try {
    await untilReady(url, server.ended);
  } catch (error) {
    await server.stop();
    throw error;
  }
  say(`Prometheus started on 127.0.0.1:${port}`);
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    scrape,
    async query(expr) {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `query?query=${encodeURIComponent(expr)}`,
      );
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async exemplars(expr) {
      const seconds = Date.now() / 1000;
      const range = `start=${seconds - 3600}&end=${seconds + 60}`;
      const found = await ask<{ exemplars: { labels: Record<string, string> }[] }[]>(
        `query_exemplars?query=${encodeURIComponent(expr)}&${range}`,
      );
      return found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    },
    async firing() {
      const { alerts } = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>('alerts');
      return [
        ...new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname']!)),
      ].sort();
    },
    stop: () => server.stop(),
  };
}

const READY_WITHIN_MS = 30_000;

async function untilReady(url: string, ended: Promise<string>): Promise<void> {
  let log: string | undefined;
  void ended.then((text) => {
    log = text;
  });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const status = await fetch(`${url}/-/ready`).then(
      (answer) => answer.status,
      () => 0, // not listening yet
    );
    if (status === 200) return;
    if (log !== undefined) throw new Error(`Prometheus ended while starting:\n${log}`);
    if (performance.now() > deadlineMs) throw new Error(`Prometheus is not ready at ${url}: ${status}`);
    await sleep(100);
  }
}

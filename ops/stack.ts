import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readOptions } from '../test/command-line.ts';
import { startKafka } from '../test/services/kafka.ts';
import { startPrometheus } from '../test/services/prometheus.ts';
import { startRedis } from '../test/services/redis.ts';

const MAIN = 'dist/cli/main.js';
const RULES = resolve('deploy/prometheus/firebreak.rules.yml');
const SCRAPE_INTERVAL = '5s';

const USAGE = `npm run stack -- [--speed N] [--partitions N] [--http-port N] [--prometheus-port N]

Kafka, Redis, Prometheus with the alert rules, an analyzer and the demo's day as traffic, as local processes. It prints
their addresses; Ctrl-C ends all of it and keeps nothing.

  --speed            times as fast as the day was recorded; 40
  --partitions       of the log; 4
  --http-port        of the analyzer: /metrics, /livez, /readyz; 9464
  --prometheus-port  9090`;

/**
 * Kafka, Redis, Prometheus with the alert rules, an analyzer and a producer of the demo's day, as local processes and
 * without a container engine. Everything ends, and nothing is kept, when this process does.
 */
export async function runStack(): Promise<void> {
  const values = readOptions(USAGE, {
    speed: { type: 'string', default: '40' },
    partitions: { type: 'string', default: '4' },
    'http-port': { type: 'string', default: '9464' },
    'prometheus-port': { type: 'string', default: '9090' },
  });
  const children: ChildProcess[] = [];
  const stopping = new Promise<void>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  });
  const [kafka, redis] = await Promise.all([startKafka(), startRedis()]);
  const target = `127.0.0.1:${values['http-port']}`;
  const prometheus = await startPrometheus({
    targets: [target],
    rules: [RULES],
    interval: SCRAPE_INTERVAL,
    port: Number(values['prometheus-port']),
  });
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-stack-')); // from here on something removes it
  const brokers = kafka.brokers.join(',');
  const flags = ['--brokers', brokers, '--keys', join(folder, 'keys.json')];
  const firebreak = (...words: string[]) => spawn(process.execPath, [MAIN, ...words], { stdio: 'inherit' });
  try {
    const [code] = await once(
      firebreak('init', ...flags, '--partitions', values.partitions, '--rules', 'rules'),
      'exit',
    );
    if (code !== 0) throw new Error(`firebreak init ended with ${code}`);
    const judging = ['run', ...flags, '--redis', redis.url, '--http-port', values['http-port']];
    children.push(firebreak(...judging));
    children.push(firebreak('produce', '--brokers', brokers, '--speed', values.speed));
    console.log(`
  Kafka        ${brokers}
  Redis        ${redis.url}
  Prometheus   ${prometheus.url}   (alerts: ${prometheus.url}/alerts)
  analyzer     http://${target}/metrics  http://${target}/readyz   process ${children[0]!.pid}
  keys         ${join(folder, 'keys.json')}

  node ${MAIN} doctor --brokers ${brokers} --redis ${redis.url} --keys ${join(folder, 'keys.json')}
  Kill the analyzer, and see the alerts; what ends by itself, this goes on without. Ctrl-C ends all of it.
`);
    // Whoever tries what happens without an analyzer wants to see it.
    const [analyzer, producer] = children;
    void once(analyzer!, 'exit').then(([code, signal]) => {
      console.log(
        `the analyzer ended (${signal ?? `exit code ${code}`}); again with:\n  node ${MAIN} ${judging.join(' ')}`,
      );
    });
    void once(producer!, 'exit').then(([code]) => console.log(`the day of the demo is over (exit code ${code})`));
    await stopping;
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(
      children.map((child) => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined)),
    );
    await Promise.all([prometheus.stop(), redis.stop(), kafka.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startKafka } from '../test/services/kafka.ts';
import { startPrometheus } from '../test/services/prometheus.ts';
import { startRedis } from '../test/services/redis.ts';

const MAIN = 'dist/cli/main.js';
const RULES = resolve('deploy/prometheus/firebreak.rules.yml');
const SCRAPE_INTERVAL = '5s';

/**
 * Kafka, Redis, Prometheus with the alert rules, an analyzer and a producer of the demo's day, as local processes and
 * without a container engine. Everything ends, and nothing is kept, when this process does.
 */
export async function runStack(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      speed: { type: 'string', default: '40' },
      partitions: { type: 'string', default: '4' },
      'http-port': { type: 'string', default: '9464' },
      'prometheus-port': { type: 'string', default: '9090' },
    },
  });
  const children: ChildProcess[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-stack-'));
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
  const brokers = kafka.brokers.join(',');
  const flags = ['--brokers', brokers, '--keys', join(folder, 'keys.json')];
  const firebreak = (...words: string[]) => spawn(process.execPath, [MAIN, ...words], { stdio: 'inherit' });
  try {
    const [code] = await once(
      firebreak('init', ...flags, '--partitions', values.partitions, '--rules', 'rules'),
      'exit',
    );
    if (code !== 0) throw new Error(`firebreak init ended with ${code}`);
    children.push(firebreak('run', ...flags, '--redis', redis.url, '--http-port', values['http-port']));
    children.push(firebreak('produce', '--brokers', brokers, '--speed', values.speed));
    console.log(`
  Kafka        ${brokers}
  Redis        ${redis.url}
  Prometheus   ${prometheus.url}   (alerts: ${prometheus.url}/alerts)
  analyzer     http://${target}/metrics  http://${target}/readyz
  keys         ${join(folder, 'keys.json')}

  node ${MAIN} doctor --brokers ${brokers} --redis ${redis.url} --keys ${join(folder, 'keys.json')}
  Ctrl-C ends all of it.
`);
    const ended = children.map(async (child) => {
      const [code] = await once(child, 'exit');
      return code as number | null;
    });
    await Promise.race([stopping, ...ended]);
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
    await Promise.all([prometheus.stop(), redis.stop(), kafka.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

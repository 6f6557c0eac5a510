import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Analyzer, type Deployment, deploy } from '../integration/deployment.ts';
import { RULES, traffic } from '../integration/traffic.ts';
import { type PrometheusService, startPrometheus } from '../services/prometheus.ts';
import { type RedisService, startRedis } from '../services/redis.ts';

/** So short that a test can wait for what takes minutes in service. */
const INTERVAL = '500ms';

/** An exception that lifts something at once, and an intent, for which `learn` makes a baseline. */
const MORE = `
---
kind: exception
name: item-cleanup
rules: [many-deletions]
match: { agent.id: agent-0 }
atMost: watch
reason: agent-0 cleans up
owner: test-team
expires: 2098-12-31
---
kind: intent
id: destruction
title: Things deleted
match: { action: delete, outcome: ok }
mark: distinct(target)
`;

/** An analyzer and a Prometheus that scrapes it and evaluates the rules that ship. */
export interface Watched {
  deployment: Deployment;
  redis: RedisService;
  prometheus: PrometheusService;
  /** Starts an analyzer and has it scraped instead of the one before. */
  start(): Promise<Analyzer>;
  act(seed: number, events: number): Promise<void>;
  activate(): Promise<void>;
  close(): Promise<void>;
}

/** What the policy is made of. */
export interface World {
  rules: string;
  /** What the intents learn from: one event a line. */
  history: readonly string[];
  budgets: readonly string[];
}

const TRAFFIC: World = {
  rules: `${RULES}${MORE}`,
  history: traffic({ sessions: 400, events: 8000, seed: 77, startMs: Date.UTC(2026, 0, 5) }).map(
    ({ value }) => `${value}`,
  ),
  budgets: ['--watch', '40%', '--pause', '20%', '--kill', '5%'],
};

/** No policy is active yet. */
export async function watched(partitions: number, world = TRAFFIC): Promise<Watched> {
  const redis = await startRedis(); // of its own: it is taken away
  const options = { partitions, rules: world.rules, policy: 'later', redisUrl: redis.url } as const;
  const deployment = await deploy(options);
  await learn(deployment, world);
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-alerts-'));
  const rules = [await impatientRules(folder)];
  const prometheus = await startPrometheus({ targets: [], rules, interval: INTERVAL });
  return {
    deployment,
    redis,
    prometheus,
    async start() {
      const analyzer = await deployment.run();
      prometheus.scrape([`127.0.0.1:${analyzer.httpPort}`]);
      return analyzer;
    },
    act: (seed, events) =>
      deployment.produce(traffic({ sessions: 40, events, seed, startMs: Date.now() - events * 3 })),
    async activate() {
      const { code, out } = await deployment.cli('activate', deployment.folder, ...deployment.flags.slice(0, -2));
      if (code !== 0) throw new Error(`activate failed: ${out}`);
    },
    async close() {
      await deployment.close();
      await prometheus.stop();
      await redis.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function learn({ folder, cli }: Deployment, { history, budgets }: World): Promise<void> {
  const file = join(folder, 'history.ndjson');
  await writeFile(file, history.map((line) => `${line}\n`).join(''));
  const { code, out } = await cli('learn', file, '--rules', folder, ...budgets);
  if (code !== 0) throw new Error(`learn failed: ${out}`);
}

/** The rules as they ship, except that they do not wait (`for` is promtool's to test) and call less a lag. */
async function impatientRules(folder: string): Promise<string> {
  const shipped = await readFile('deploy/prometheus/firebreak.rules.yml', 'utf8');
  const impatient = shipped
    .replace(/^ {8}for: .*\n/gm, '')
    .replace(/(firebreak_lag_seconds\{[^}]*\}\)) > 30/, '$1 > 2');
  const file = join(folder, 'impatient.rules.yml');
  await writeFile(file, impatient);
  return file;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { CompressionTypes, type Kafka, type Message, Partitioners } from 'kafkajs';
import { pino } from 'pino';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import { stateKeys } from '../../src/adapters/redis/keys.ts';
import { decodeCheckpointBody } from '../../src/app/checkpoint-body.ts';
import { type Keys, loadKeyFile } from '../../src/app/keys.ts';
import { loadPolicyFolder, policyHash } from '../../src/app/rule-folder.ts';
import type { Command } from '../../src/domain/command.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { compilePolicy, type Plan } from '../../src/engine/plan/policy.ts';
import { signRecord } from '../../src/formats/signature.ts';
import { ownPrefix, sharedKafka, sharedRedis } from '../services/shared.ts';
import { hex, outcomeOf, type PartitionOutcome } from '../simulation/oracle.ts';

const MAIN = 'dist/cli/main.js';

/** A Firebreak as its users run it: the built command line, real Kafka, real Redis, a prefix of its own. */
export interface Deployment {
  kafka: Kafka;
  redis: Redis;
  prefix: string;
  partitions: number;
  folder: string;
  flags: string[];
  keys: Keys;
  plan: Plan;
  run(...flags: string[]): Promise<Analyzer>;
  cli(...args: string[]): Promise<{ code: number; out: string }>;
  produce(messages: Message[], partition?: number): Promise<void>;
  /** Signed by the key of the deployment, to the session that it names. */
  decide(decision: Decision): Promise<void>;
  /** Waits until every partition's checkpoint stands at the end of its log. */
  settled(timeoutMs?: number): Promise<void>;
  log(): Promise<Map<number, RawRecord[]>>;
  /** As often as they were published. */
  commands(): Promise<Command[]>;
  commandIds(): Promise<{ distinct: string[]; published: number }>;
  stored(partition: number): Promise<PartitionOutcome & { next: number }>;
  oracle(): Promise<PartitionOutcome[]>;
  close(): Promise<void>;
}

export interface Analyzer {
  process: ChildProcess;
  httpPort: number;
  log(): string;
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
}

export interface DeployOptions {
  partitions: number;
  rules: string;
  /** `later`: init is not told the rules. */
  policy?: 'init' | 'later';
  /** Servers of the caller's own. */
  redisUrl?: string;
  brokers?: string[];
  /** How this test itself logs in to that Redis. */
  redisLogin?: RedisOptions;
  /** Settings of the analyzers. */
  env?: Record<string, string>;
}

export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { brokers, prefix: name } =
    options.brokers === undefined ? await sharedKafka() : { brokers: options.brokers, prefix: ownPrefix() };
  const redisUrl = options.redisUrl ?? (await sharedRedis()).url;
  const prefix = `${name}.`;
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-test-'));
  await writeFile(join(folder, 'rules.yaml'), options.rules);
  const keyFile = join(folder, 'keys.json');
  const flags = ['--brokers', brokers.join(','), '--topic-prefix', prefix, '--keys', keyFile];
  const cli = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, FIREBREAK_REDIS__KEY_PREFIX: name },
    });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => out.push(chunk));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out: Buffer.concat(out).toString() };
  };
  const policy = options.policy === 'later' ? [] : ['--rules', folder];
  const made = await cli('init', ...flags, '--partitions', String(options.partitions), ...policy);
  if (made.code !== 0) throw new Error(`init failed: ${made.out}`);
  const kafka = createKafka({ brokers, clientId: 'test', logger: pino({ level: 'silent' }) });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const client = new PartitionClient(kafka);
  const redis = new Redis(redisUrl, options.redisLogin ?? {});
  redis.on('error', () => {}); // a server that is away on purpose
  const body = await loadPolicyFolder(folder);
  const plan = compilePolicy(policyHash(body), body);
  const keys = await loadKeyFile(keyFile);
  const analyzers: Analyzer[] = [];
  const topic = `${prefix}actions`;

  const log = async () => {
    const found = new Map<number, RawRecord[]>();
    for await (const { partition, record } of readRanges(client, topic, await wholeTopic(client, topic))) {
      const list = found.get(partition);
      if (list) list.push(record);
      else found.set(partition, [record]);
    }
    return found;
  };
  const stored = async (partition: number) => {
    const [meta, sessions] = stateKeys(name, partition);
    const [next, body] = await redis.hmgetBuffer(meta, 'next', 'partition');
    const all = await redis.hgetallBuffer(sessions);
    const state = body ? JSON.stringify(decodeCheckpointBody(body).state) : '';
    const entries = Object.entries(all).map(([id, bytes]) => [id, hex(bytes)] as const);
    return {
      next: next ? Number(next.toString()) : -1,
      partition: state,
      sessions: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
      commands: [],
      verdicts: {},
    };
  };

  const commands = async () => {
    const found: Command[] = [];
    const from = `${prefix}commands`;
    for await (const { record } of readRanges(client, from, await wholeTopic(client, from))) {
      found.push(JSON.parse(Buffer.from(record.value!).toString()));
    }
    return found;
  };

  const deployment: Deployment = {
    kafka,
    redis,
    prefix,
    folder,
    keys,
    plan,
    cli,
    log,
    stored,
    partitions: options.partitions,
    flags: [...flags, '--redis', redisUrl],
    async run(...more) {
      const analyzer = await startAnalyzer([...flags, '--redis', redisUrl, '--http-port', '0', ...more], {
        ...options.env,
        FIREBREAK_REDIS__KEY_PREFIX: name,
      });
      analyzers.push(analyzer);
      return analyzer;
    },
    async decide(decision) {
      const [type, key] = ['dev.firebreak.decision.v1', Buffer.from(decision.session!)];
      const value = Buffer.from(JSON.stringify(decision));
      const headers = { ce_type: type, ...signRecord({ type, key, value }, keys.signing) };
      await this.produce([{ key, value, headers }]);
    },
    async produce(messages, partition) {
      for (let at = 0; at < messages.length; at += 500) {
        const part = messages.slice(at, at + 500);
        const placed = partition === undefined ? part : part.map((message) => ({ ...message, partition }));
        await producer.send({ topic, acks: -1, messages: placed, compression: CompressionTypes.None });
      }
    },
    async settled(timeoutMs = 60_000) {
      const deadlineMs = Date.now() + timeoutMs;
      for (;;) {
        const waiting: string[] = [];
        for (const { partition, to } of await wholeTopic(client, topic)) {
          const { next } = await stored(partition);
          if (next !== to) waiting.push(`partition ${partition}: ${next} of ${to}`);
        }
        if (waiting.length === 0) return;
        if (Date.now() > deadlineMs) {
          throw new Error(
            `not settled: ${waiting.join(', ')}\n${analyzers.map((one) => one.log().slice(-2000)).join('\n---\n')}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    commands,
    async commandIds() {
      const ids = (await commands()).map(({ id }) => id);
      return { distinct: [...new Set(ids)].sort(), published: ids.length };
    },
    async oracle() {
      const records = await log();
      const { topicId } = decodeCheckpointBody((await redis.hgetBuffer(stateKeys(name, 0)[0], 'partition'))!);
      return Array.from({ length: options.partitions }, (_, partition) =>
        outcomeOf(
          topicId,
          { partition, partitions: options.partitions },
          records.get(partition) ?? [],
          [plan],
          keys.keyring,
        ),
      );
    },
    async close() {
      await Promise.all(analyzers.map((one) => one.kill()));
      await producer.disconnect();
      await client.close();
      redis.disconnect();
      await rm(folder, { recursive: true });
    },
  };
  return deployment;
}

/** The port is in the first lines; looking on through a log of megabytes would take its time. */
const STARTED_WITHIN = 4 * 1024 * 1024;

async function startAnalyzer(flags: string[], env: Record<string, string>): Promise<Analyzer> {
  const child = spawn(process.execPath, [MAIN, 'run', ...flags], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let log = '';
  const httpPort = await new Promise<number>((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.length > STARTED_WITHIN) return;
      const found = /"httpPort":(\d+)/.exec(log);
      if (found) resolve(Number(found[1]));
    });
    void exited.then((code) => reject(new Error(`firebreak run ended with ${code}:\n${log}`)));
  });
  return {
    process: child,
    httpPort,
    log: () => log,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

export async function metricsOf({ httpPort }: Analyzer): Promise<string> {
  return (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
}

/** What /readyz says: nothing, or why the process does not judge. */
export async function notReady({ httpPort }: Analyzer): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
  return answer.status === 200 ? [] : ((await answer.json()) as { reasons: string[] }).reasons;
}

export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { type Guarded, startGuarded } from './guarded.ts';
import { dockerRuns, freePorts, say } from './installed.ts';
import { kafkaJars } from './kafka-jars.ts';

export const DEFAULT_KAFKA_VERSION = '4.4.0';

const OWN_LABEL = 'own JVM, jars cached';

/** `-Xshare` and C1 only: the broker is up in two seconds and never runs long. */
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

const BROKER: Record<string, string> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'INTERNAL',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'controlled.shutdown.enable': 'false',
  // A killed broker may come back only when its old session has ended.
  'broker.session.timeout.ms': '4000',
  'broker.heartbeat.interval.ms': '500',
};

export interface KafkaService {
  brokers: string[];
  kind: 'environment' | 'docker' | 'own';
  version: string;
  /** Where the broker keeps its partitions; undefined for a broker that was not started here. */
  logDir: string | undefined;
  /** Kills the broker and starts it again on its port with its data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** What a broker that is started here has instead of one open listener. */
export interface Layout {
  /** Security protocol of each listener for clients. */
  listeners: Record<string, string>;
  settings: Record<string, string>;
  /** Arguments of the formatting, such as SCRAM users. */
  format: string[];
}

const OPEN: Layout = { listeners: { PLAINTEXT: 'PLAINTEXT' }, settings: {}, format: [] };

/**
 * A Kafka to test with: the one in FIREBREAK_TEST_KAFKA, else in Docker, else on the local JVM. A version asks for one
 * started here.
 */
export async function startKafka(options: { version?: string; brokers?: 1 } = {}): Promise<KafkaService> {
  const given = process.env['FIREBREAK_TEST_KAFKA'];
  if (given && !options.version) {
    const brokers = given.split(',').map((broker) => broker.trim());
    await untilReady(brokers, new Promise(() => {}), 'FIREBREAK_TEST_KAFKA');
    say(`Kafka at ${given} (FIREBREAK_TEST_KAFKA)`);
    const restart = () => Promise.reject(new Error('The broker of FIREBREAK_TEST_KAFKA cannot be restarted from here'));
    return { brokers, kind: 'environment', version: 'as given', logDir: undefined, restart, stop: async () => {} };
  }
  const version = options.version ?? DEFAULT_KAFKA_VERSION;
  const kind = (await dockerRuns()) ? 'docker' : 'own';
  for (let attempt = 1; ; attempt++) {
    try {
      return await (kind === 'docker' ? startInDocker(version) : startOwn(version, OPEN));
    } catch (error) {
      if (attempt === 3 || !isPortTaken(error)) throw error;
    }
  }
}

/** A port may have been taken between the choice and the use. Nothing else gets better by itself. */
export function isPortTaken(error: unknown): boolean {
  return /already in use|already allocated/i.test(String(error));
}

export interface OwnKafka extends KafkaService {
  /** Address of each listener for clients. */
  listeners: Record<string, string>;
  /** Address of the listener between brokers: without TLS or login. */
  internal: string;
}

/** On the local JVM. */
export async function startOwn(version: string, { listeners, settings: more, format }: Layout): Promise<OwnKafka> {
  const jars = await kafkaJars(version);
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-kafka-'));
  const names = Object.keys(listeners);
  const [internal, controller, ...ports] = await freePorts(2 + names.length);
  const logDir = join(folder, 'data');
  const addresses = Object.fromEntries(names.map((name, at) => [name, `127.0.0.1:${ports[at]}`]));
  const brokers = { ...addresses, INTERNAL: `127.0.0.1:${internal}` };
  const listenersOf = (of: Record<string, string>) =>
    Object.entries(of)
      .map(([name, address]) => `${name}://${address}`)
      .join(',');
  const protocols = { ...listeners, INTERNAL: 'PLAINTEXT', CONTROLLER: 'PLAINTEXT' };
  const settings: Record<string, string> = {
    ...BROKER,
    'listener.security.protocol.map': Object.entries(protocols)
      .map(([name, protocol]) => `${name}:${protocol}`)
      .join(','),
    'log.dirs': logDir,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: listenersOf({ ...brokers, CONTROLLER: `127.0.0.1:${controller}` }),
    'advertised.listeners': listenersOf(brokers),
    ...more,
  };
  const file = join(folder, 'server.properties');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const java = [...JVM, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', `-Djava.io.tmpdir=${folder}`, '-cp', jars];
  const clusterId = randomBytes(16).toString('base64url');
  try {
    await promisify(execFile)('java', [
      ...java,
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${clusterId}`,
      '-c',
      file,
      ...format,
    ]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`Kafka ${version} cannot format its storage (Kafka 4 needs Java 17): ${error}`, { cause: error });
  }
  const start = () => startGuarded(['java', ...java, 'kafka.Kafka', file], folder);
  const ready = addresses['PLAINTEXT'] ?? brokers.INTERNAL;
  const service = await running({ version, kind: 'own', broker: ready, folder, logDir, start, label: OWN_LABEL });
  return { ...service, listeners: addresses, internal: brokers.INTERNAL };
}

async function startInDocker(version: string): Promise<KafkaService> {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-kafka-'));
  const [port] = await freePorts(1);
  const name = `firebreak-kafka-${randomBytes(6).toString('hex')}`;
  const settings = {
    ...BROKER,
    'controller.quorum.voters': '1@localhost:9094',
    listeners: 'PLAINTEXT://:9092,INTERNAL://localhost:9093,CONTROLLER://localhost:9094',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},INTERNAL://localhost:9093`,
  };
  const variables = Object.entries(settings).flatMap(([key, value]) => [
    '-e',
    `KAFKA_${key.toUpperCase().replaceAll('.', '_')}=${value}`,
  ]);
  const run = [
    'docker',
    'run',
    '--name',
    name,
    '-p',
    `127.0.0.1:${port}:9092`,
    ...variables,
    `apache/kafka:${version}`,
  ];
  let command = run;
  const start = () => {
    const guarded = startGuarded(
      command,
      folder,
      `if [ -e "$folder/keep" ]; then docker kill ${name}; else docker rm -f ${name}; fi`,
    );
    command = ['docker', 'start', '-a', name];
    return guarded;
  };
  return running({
    version,
    kind: 'docker',
    broker: `127.0.0.1:${port}`,
    folder,
    logDir: undefined,
    start,
    label: 'Docker',
  });
}

interface Start {
  version: string;
  kind: 'docker' | 'own';
  broker: string;
  folder: string;
  logDir: string | undefined;
  label: string;
  start(): Guarded;
}

async function running({ version, kind, broker, folder, logDir, label, start }: Start): Promise<KafkaService> {
  const brokers = [broker];
  let server = start();
  const ready = async () => {
    try {
      await untilReady(brokers, server.ended, `Kafka ${version} (${label})`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  };
  await ready();
  say(`Kafka ${version} started on ${brokers[0]} (${label})`);
  return {
    brokers,
    kind,
    version,
    logDir,
    async restart() {
      const keep = join(folder, 'keep');
      writeFileSync(keep, '');
      await server.stop();
      rmSync(keep);
      server = start();
      await ready();
    },
    stop: () => server.stop(),
  };
}

const READY_WITHIN_MS = 120_000;

async function untilReady(brokers: string[], ended: Promise<string>, what: string): Promise<void> {
  let log: string | undefined;
  void ended.then((text) => {
    log = text;
  });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  const retry = { retries: 0 };
  for (;;) {
    const admin = new Kafka({ brokers, clientId: 'ready', logLevel: logLevel.NOTHING, retry }).admin();
    try {
      await admin.connect();
      const cluster = await admin.describeCluster();
      if (cluster.brokers.length > 0) return;
    } catch (error) {
      if (log !== undefined) throw new Error(`${what} ended while starting:\n${log}`);
      if (performance.now() > deadlineMs) throw new Error(`${what} does not answer at ${brokers}`, { cause: error });
    } finally {
      await admin.disconnect();
    }
    await sleep(100);
  }
}

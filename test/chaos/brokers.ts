import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { freePorts } from '../services/installed.ts';
import { DEFAULT_KAFKA_VERSION } from '../services/kafka.ts';
import { kafkaJars } from '../services/kafka-jars.ts';
import { Child } from './child.ts';
import { type Disk, type Disks, mountDisks } from './disk.ts';
import { Link } from './link.ts';

const COUNT = 3;
const READY_WITHIN_MS = 120_000;
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const SETTINGS: Record<string, string> = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'INTERNAL',
  'listener.security.protocol.map': 'DIRECT:PLAINTEXT,LINKED:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.replication.factor': '3',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  'transaction.state.log.num.partitions': '2',
  'min.insync.replicas': '2',
  'controlled.shutdown.enable': 'false',
  'broker.session.timeout.ms': '4000',
  'broker.heartbeat.interval.ms': '500',
  'controller.quorum.election.timeout.ms': '1000',
  'controller.quorum.fetch.timeout.ms': '2000',
  'replica.lag.time.max.ms': '5000',
  'leader.imbalance.check.interval.seconds': '5',
  'leader.imbalance.per.broker.percentage': '0',
  'log.cleaner.dedupe.buffer.size': '4194304',
  'num.network.threads': '2',
  'num.io.threads': '2',
};

/** Three brokers that are also the quorum. `direct` is a way that no link disturbs: for the run itself. */
export class Brokers {
  readonly nodes: Child[] = [];
  readonly links: Link[] = [];
  /** Of each node; none when they use the machine's. */
  disks: Disk[] = [];
  direct: string[] = [];
  linked: string[] = [];

  static async start(folder: string, disks: Disks): Promise<Brokers> {
    const brokers = new Brokers();
    await brokers.#start(folder, disks);
    return brokers;
  }

  client(): Kafka {
    const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 };
    return new Kafka({ brokers: this.direct, clientId: 'chaos', logLevel: logLevel.NOTHING, retry });
  }

  async untilReady(): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const admin = new Kafka({ brokers: this.direct, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
      try {
        await admin.connect();
        if ((await admin.describeCluster()).brokers.length === COUNT) return;
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
      } finally {
        await admin.disconnect().catch(() => undefined); // it never connected
      }
      if (performance.now() > deadlineMs) throw new Error(`${COUNT} brokers do not find together`);
      await sleep(200);
    }
  }

  /** Every replica is back in sync: only then may the next broker be lost. */
  async untilInSync(topic: string): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    await this.withAdmin(async (admin) => {
      for (;;) {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        if (topics[0]!.partitions.every(({ isr }) => isr.length === COUNT)) return;
        if (performance.now() > deadlineMs) throw new Error(`${topic}: replicas do not come back in sync`);
        await sleep(200);
      }
    });
  }

  /** How often their logs match, from the beginning. */
  logged(pattern: RegExp): number {
    return this.nodes.reduce(
      (sum, { logFile }) => sum + (readFileSync(logFile, 'utf8').match(pattern)?.length ?? 0),
      0,
    );
  }

  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.client().admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.nodes.map((node) => node.kill()), ...this.links.map((link) => link.stop())]);
  }

  async #start(folder: string, disks: Disks): Promise<void> {
    const jars = await kafkaJars(DEFAULT_KAFKA_VERSION);
    const ports = await freePorts(COUNT * 5);
    const portsOf = (node: number) => ports.slice(node * 5, node * 5 + 5) as [number, number, number, number, number];
    const voters = [0, 1, 2].map((node) => `${node + 1}@127.0.0.1:${portsOf(node)[3]}`).join(',');
    const clusterId = randomBytes(16).toString('base64url');
    const homes = [0, 1, 2].map((node) => join(folder, `kafka-${node}`));
    const dataOf = (home: string) => join(home, 'data');
    this.disks = await mountDisks(disks, homes.map(dataOf));
    for (const [node, home] of homes.entries()) {
      const [direct, linked, internal, controller, proxy] = portsOf(node);
      mkdirSync(home, { recursive: true });
      const at = (port: number) => `127.0.0.1:${port}`;
      const open = `DIRECT://${at(direct)},LINKED://${at(linked)},INTERNAL://${at(internal)}`;
      const settings = {
        ...SETTINGS,
        'node.id': String(node + 1),
        'log.dirs': dataOf(home),
        'controller.quorum.voters': voters,
        listeners: `${open},CONTROLLER://${at(controller)}`,
        'advertised.listeners': open.replace(at(linked), at(proxy)),
      };
      const file = join(home, 'server.properties');
      writeFileSync(
        file,
        Object.entries(settings)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      const java = ['java', ...JVM, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', jars];
      const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', file];
      await promisify(execFile)(java[0]!, [...java.slice(1), ...format]);
      this.nodes.push(new Child(`broker ${node + 1}`, [...java, 'kafka.Kafka', file], join(home, 'server.log')));
      this.links.push(await Link.start(proxy, linked));
      this.direct.push(at(direct));
      this.linked.push(at(proxy));
    }
    for (const node of this.nodes) node.start();
    await this.untilReady();
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePorts } from '../services/installed.ts';
import { Child } from './child.ts';
import { type Disk, type Disks, mountDisks } from './disk.ts';
import { Link } from './link.ts';

export type Topology = 'sentinel' | 'cluster';

const READY_WITHIN_MS = 60_000;
const SLOTS = 16_384;
const PRIMARY = 'main';
/** What an analyzer sees as one Redis, and what the run may do to its nodes. */
export interface RedisNodes {
  topology: Topology;
  nodes: Child[];
  /** Before each node, and between them. A cluster has none: its nodes tell clients their own ports. */
  links: Link[];
  ports: number[];
  /** Of each node; none when they use the machine's. */
  disks: Disk[];
  url: string;
  /** Numbers of the nodes that hold the state now. */
  primaries(): Promise<number[]>;
  /** Fulfilled when the nodes agree and what can be copied is copied. */
  untilReady(): Promise<void>;
  stop(): Promise<void>;
}

const NODE = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];
const COPY = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5', '--repl-ping-replica-period', '1'];

export function startRedisNodes(topology: Topology, folder: string, disks: Disks): Promise<RedisNodes> {
  return topology === 'sentinel' ? startSentinel(folder, disks) : startCluster(folder, disks);
}

/** A client of the run's own, straight to one node. */
export function nodeClient(port: number): Redis {
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1000 });
  client.on('error', () => undefined); // the command tells it
  return client;
}

export async function ask<T>(port: number, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = nodeClient(port);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

/** A count of INFO over all nodes, such as `errorstat_OOM` or `cmdstat_asking`: since they were started. */
export async function countOf({ ports }: RedisNodes, name: string): Promise<number> {
  const section = name.startsWith('errorstat') ? 'errorstats' : 'commandstats';
  const texts = await Promise.all(ports.map((port) => ask(port, (client) => client.info(section))));
  const pattern = new RegExp(`^${name}:(?:count|calls)=(\\d+)`, 'm');
  return texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (await holds().catch(() => false)) return; // a node that is away answers later
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${READY_WITHIN_MS} ms`);
    await sleep(100);
  }
}

function dataOf(home: string): string {
  return join(home, 'data');
}

/** With a file of settings, as every deployment has one: Sentinel writes into it who is whose replica after a failover. */
function redisServer(name: string, home: string, args: readonly string[]): Child {
  mkdirSync(dataOf(home), { recursive: true });
  const lines = [...args, '--dir', dataOf(home)].map((arg) => {
    if (arg.startsWith('--')) return `\n${arg.slice(2)}`;
    return arg === '' ? ' ""' : ` ${arg}`;
  });
  const file = join(home, 'redis.conf');
  writeFileSync(file, `${lines.join('').trimStart()}\n`);
  return new Child(name, ['redis-server', file], join(home, 'server.log'));
}

/** A primary and its replica, each behind a link that also the other one and the sentinels go through. */
async function startSentinel(folder: string, disks: Disks): Promise<RedisNodes> {
  const [a, b, linkA, linkB, ...sentinelPorts] = await freePorts(7);
  const ports = [a!, b!];
  const linkPorts = [linkA!, linkB!];
  const links = await Promise.all(ports.map((port, node) => Link.start(linkPorts[node]!, port)));
  const homes = ports.map((_, node) => join(folder, `redis-${node}`));
  const mounted = await mountDisks(disks, homes.map(dataOf));
  const nodes = ports.map((port, node) => {
    const announced = ['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', String(linkPorts[node])];
    const replica = node === 0 ? [] : ['--replicaof', `127.0.0.1 ${linkA}`];
    const args = ['--port', String(port), ...NODE, ...COPY, ...announced, ...replica];
    return redisServer(`redis ${node + 1}`, homes[node]!, args);
  });
  for (const node of nodes) node.start();
  await until('the replica', () => ask(b!, async (one) => (await one.info('replication')).includes('link_status:up')));
  const sentinels = sentinelPorts.map((port) => {
    const home = join(folder, `sentinel-${port}`);
    mkdirSync(home);
    const file = join(home, 'sentinel.conf');
    const settings = [
      `port ${port}`,
      `sentinel monitor ${PRIMARY} 127.0.0.1 ${linkA} 2`,
      `sentinel down-after-milliseconds ${PRIMARY} 2000`,
      `sentinel failover-timeout ${PRIMARY} 6000`,
    ];
    writeFileSync(file, `${settings.join('\n')}\n`);
    return new Child(`sentinel ${port}`, ['redis-server', file, '--sentinel'], join(home, 'server.log'));
  });
  for (const one of sentinels) one.start();
  const primaries = () =>
    ask(sentinelPorts[0]!, async (sentinel) => {
      const address = (await sentinel.call('SENTINEL', 'get-master-addr-by-name', PRIMARY)) as [string, string];
      return [linkPorts.indexOf(Number(address[1]))];
    });
  const untilReady = () =>
    until('primary and replica', async () => {
      const [primary] = await primaries();
      const found = await ask(ports[primary!]!, (one) => one.info('replication'));
      const sentinel = await ask(sentinelPorts[0]!, (one) => one.info('sentinel'));
      return /role:master[\s\S]*state=online/.test(found) && /slaves=1,sentinels=3/.test(sentinel);
    });
  await untilReady();
  return {
    topology: 'sentinel',
    nodes,
    links,
    ports,
    disks: mounted,
    url: `redis+sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}/${PRIMARY}`,
    primaries,
    untilReady,
    async stop() {
      await Promise.all([...nodes, ...sentinels].map((one) => one.kill()));
      await Promise.all(links.map((link) => link.stop()));
    },
  };
}

async function startCluster(folder: string, disks: Disks): Promise<RedisNodes> {
  const ports = await freePorts(3);
  const buses = await freePorts(3);
  const homes = ports.map((_, node) => join(folder, `redis-${node}`));
  const mounted = await mountDisks(disks, homes.map(dataOf));
  const nodes = ports.map((port, node) => {
    const cluster = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(buses[node]),
      '--cluster-node-timeout',
      '2000',
    ];
    const args = ['--port', String(port), ...NODE, ...cluster, '--cluster-require-full-coverage', 'no'];
    return redisServer(`redis ${node + 1}`, homes[node]!, args);
  });
  for (const node of nodes) node.start();
  for (const [node, port] of ports.entries()) {
    await until(`redis ${node + 1}`, () => ask(port, async (one) => (await one.ping()) === 'PONG'));
    await ask(port, async (one) => {
      await one.cluster('SET-CONFIG-EPOCH', node + 1);
      const from = Math.round((SLOTS * node) / ports.length);
      await one.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.round((SLOTS * (node + 1)) / ports.length) - 1);
      await one.call('CLUSTER', 'MEET', '127.0.0.1', ports[0]!, buses[0]!);
    });
  }
  const untilReady = async () => {
    for (const port of ports) {
      await until('the cluster', async () =>
        /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(await ask(port, (one) => one.cluster('INFO'))),
      );
    }
  };
  await untilReady();
  return {
    topology: 'cluster',
    nodes,
    links: [],
    ports,
    disks: mounted,
    url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    primaries: async () => ports.map((_, node) => node),
    untilReady,
    stop: async () => {
      await Promise.all(nodes.map((one) => one.kill()));
    },
  };
}

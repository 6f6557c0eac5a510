import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { Deployment } from './deployment.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import type { LinkMode } from './link.ts';
import { ask } from './redis-nodes.ts';
import { slotMigration } from './slot-migration.ts';
import { ORDINARY } from './traffic.ts';

/** Number in [0, 1). */
export type Random = () => number;

/** One thing that happens to a deployment. `inject` answers what to print; `mend` is called after a while, once. */
export interface Fault {
  /** How long it lasts, s. */
  lastsS: readonly [least: number, most: number];
  topologies: readonly ('sentinel' | 'cluster')[];
  /** Needs servers whose disks can be full. */
  disks?: 'own';
  inject(deployment: Deployment, random: Random): Promise<{ what: string; mend?: () => Promise<void> | void }>;
}

const BOTH = ['sentinel', 'cluster'] as const;
const SENTINEL = ['sentinel'] as const;
const INSTANT = [0, 0] as const;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function analyzerOf({ fleet }: Deployment, random: Random): Child {
  return pick(random, fleet.members);
}

async function primaryOf({ stand: { redis } }: Deployment, random: Random): Promise<number> {
  return pick(random, await redis.primaries());
}

/** On one primary, chosen by chance. */
function onRedis(act: (port: number, deployment: Deployment) => Promise<string>): Fault {
  return {
    lastsS: INSTANT,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const { redis } = deployment.stand;
      const primary = await primaryOf(deployment, random);
      return { what: `${redis.nodes[primary]!.name}: ${await act(redis.ports[primary]!, deployment)}` };
    },
  };
}

function linkFault(to: 'redis' | 'brokers', mode: LinkMode, lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: to === 'redis' ? SENTINEL : BOTH,
    inject: async ({ stand }) => {
      for (const link of stand[to].links) link.set(mode);
      const mend = () => {
        for (const link of stand[to].links) link.set('pass');
      };
      return { what: `all connections to ${to}: ${mode}`, mend };
    },
  };
}

function signalFault(signal: NodeJS.Signals, lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const analyzer = analyzerOf(deployment, random);
      analyzer.signal(signal);
      const mend = signal === 'SIGSTOP' ? { mend: () => analyzer.signal('SIGCONT') } : {};
      return { what: `${analyzer.name}: ${signal}`, ...mend };
    },
  };
}

/** A broker is down or frozen, and is back in sync when it is over: two at a time would be another fault. */
function brokerFault(how: 'SIGKILL' | 'SIGSTOP', lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async ({ stand: { brokers }, topic }, random) => {
      const broker = pick(random, brokers.nodes);
      if (how === 'SIGKILL') await broker.kill();
      else broker.signal('SIGSTOP');
      const mend = async () => {
        if (how === 'SIGKILL') broker.start();
        else broker.signal('SIGCONT');
        await brokers.untilReady();
        await brokers.untilInSync(topic);
      };
      return { what: `${broker.name}: ${how}`, mend };
    },
  };
}

function redisNodeFault(how: 'SIGKILL' | 'SIGSTOP', lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const { redis } = deployment.stand;
      const primary = redis.nodes[await primaryOf(deployment, random)]!;
      if (how === 'SIGKILL') await primary.kill();
      else primary.signal('SIGSTOP');
      const mend = async () => {
        if (how === 'SIGKILL') primary.start();
        else primary.signal('SIGCONT');
        await redis.untilReady();
      };
      return { what: `${primary.name}, primary: ${how}`, mend };
    },
  };
}

/** The replica misses the last seconds, then it becomes the primary. */
const failoverLosingWrites: Fault = {
  lastsS: [5, 8],
  topologies: SENTINEL,
  inject: async (deployment, random) => {
    const { redis } = deployment.stand;
    const at = await primaryOf(deployment, random);
    redis.links[at]!.set('held_replication');
    await sleep(1000 + random() * 1500);
    await redis.nodes[at]!.kill();
    redis.links[at]!.set('pass');
    const mend = async () => {
      redis.nodes[at]!.start();
      await redis.untilReady();
    };
    return { what: `${redis.nodes[at]!.name}, primary: its last writes are not copied, SIGKILL`, mend };
  },
};

const everyRedisDown: Fault = {
  lastsS: [10, 15],
  topologies: BOTH,
  inject: async ({ stand: { redis } }) => {
    await Promise.all(redis.nodes.map((node) => node.kill()));
    const mend = async () => {
      for (const node of redis.nodes) node.start();
      await redis.untilReady();
    };
    return { what: 'every Redis node: SIGKILL', mend };
  },
};

const everyBrokerDown: Fault = {
  lastsS: [15, 20],
  topologies: BOTH,
  inject: async ({ stand: { brokers }, topic }) => {
    await Promise.all(brokers.nodes.map((node) => node.kill()));
    const mend = async () => {
      for (const node of brokers.nodes) node.start();
      await brokers.untilReady();
      await brokers.untilInSync(topic);
    };
    return { what: 'every broker: SIGKILL', mend };
  },
};

/** Every partition gets another leader: its replicas in another order, and the first of them is preferred. */
const leaderChange: Fault = {
  lastsS: [6, 8],
  topologies: BOTH,
  inject: async ({ stand: { brokers }, topic }) => {
    await brokers.withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitionAssignment = topics[0]!.partitions.map(({ partitionId, replicas: [first, ...others] }) => {
        return { partition: partitionId, replicas: [...others, first!] };
      });
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
    });
    return { what: 'every partition: another preferred leader' };
  },
};

const membersComeAndGo: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const analyzer = analyzerOf(deployment, random);
    await analyzer.end('SIGTERM');
    return { what: `${analyzer.name}: SIGTERM, and back` };
  },
};

const policyChange: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const number = Math.floor(random() * deployment.policyCount);
    await deployment.activate(number);
    return { what: `policy ${number} activated` };
  },
};

const burst: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const count = 1000 + Math.floor(random() * 3000);
    deployment.burst(count);
    return { what: `${count} actions at once` };
  },
};

function shapeFault(what: string, shape: Partial<typeof ORDINARY>): Fault {
  return {
    lastsS: [3, 5],
    topologies: BOTH,
    inject: async (deployment) => {
      deployment.shape = { ...ORDINARY, ...shape };
      const mend = () => {
        deployment.shape = ORDINARY;
      };
      return { what, mend };
    },
  };
}

const outOfMemory: Fault = {
  lastsS: [2, 4],
  topologies: BOTH,
  inject: async (deployment, random) => {
    const { redis } = deployment.stand;
    const port = redis.ports[await primaryOf(deployment, random)]!;
    const limit = (bytes: string) => ask(port, (client) => client.config('SET', 'maxmemory', bytes));
    await limit('1mb');
    return { what: `redis at ${port}: maxmemory 1mb`, mend: async () => void (await limit('0')) };
  },
};

export const FAULTS = {
  'kill-analyzer': {
    lastsS: INSTANT,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const analyzer = analyzerOf(deployment, random);
      await deployment.fleet.kill(analyzer);
      return { what: `${analyzer.name}: SIGKILL` };
    },
  },
  'freeze-analyzer': signalFault('SIGSTOP', [12, 16]),
  'stall-analyzer': signalFault('SIGSTOP', [1, 3]),
  // Longer than the watchdog of the process waits.
  'block-loop': signalFault('SIGUSR2', [22, 24]),
  'clock-step': signalFault('SIGHUP', [2, 4]),
  rebalance: membersComeAndGo,
  'kill-broker': brokerFault('SIGKILL', [3, 6]),
  'freeze-broker': brokerFault('SIGSTOP', [2, 7]),
  'brokers-down': everyBrokerDown,
  'leader-change': leaderChange,
  'kafka-cut': linkFault('brokers', 'cut', [1, 4]),
  'kafka-hole': linkFault('brokers', 'hole', [2, 12]),
  'kafka-slow': linkFault('brokers', 'slow', [3, 6]),
  'no-produce': linkFault('brokers', 'no_produce', [3, 8]),
  'kill-redis': redisNodeFault('SIGKILL', [1, 6]),
  'freeze-redis': redisNodeFault('SIGSTOP', [1, 6]),
  'redis-down': everyRedisDown,
  'failover-losing-writes': failoverLosingWrites,
  'redis-cut': linkFault('redis', 'cut', [1, 4]),
  'redis-hole': linkFault('redis', 'hole', [1, 6]),
  'redis-slow': linkFault('redis', 'slow', [3, 6]),
  'redis-lost-replies': linkFault('redis', 'lost_replies', [1, 3]),
  'redis-oom': outOfMemory,
  flushall: onRedis(async (port) => ask(port, (client) => client.flushall())),
  'script-flush': onRedis(async (port) => `SCRIPT FLUSH ${await ask(port, (client) => client.script('FLUSH'))}`),
  'delete-key': onRedis(async (port, { prefix }) =>
    ask(port, async (client) => {
      const keys = (await client.keys(`${prefix}:*`)).sort();
      const key = keys[Math.floor(keys.length / 2)];
      return key === undefined ? 'no key to delete' : `DEL ${key}: ${await client.del(key)}`;
    }),
  ),
  'delete-session': onRedis(async (port, { prefix }) =>
    ask(port, async (client) => {
      const [key] = (await client.keys(`${prefix}:*:s`)).sort();
      const field = key && ((await client.hrandfield(key)) as string | null);
      return field ? `HDEL ${key} ${field}: ${await client.hdel(key, field)}` : 'no session to delete';
    }),
  ),
  'slot-migration': slotMigration,
  ...DISK_FAULTS,
  policy: policyChange,
  burst,
  poison: shapeFault('every fifth record cannot be judged', { poison: 0.2 }),
  repeated: shapeFault('every third record comes twice, every tenth an hour late', { repeated: 0.33, late: 0.1 }),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

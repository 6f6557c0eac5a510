import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { BLIND_S } from './disk-faults.ts';
import { BOTH, type Fault, INSTANT, pick, type Random, SENTINEL } from './fault.ts';
import { ask } from './redis-nodes.ts';
import { slotMigration } from './slot-migration.ts';

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

function redisNodeFault(how: 'SIGKILL' | 'SIGSTOP', lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const { redis } = deployment.stand;
      const primary = redis.nodes[await primaryOf(deployment, random)]!;
      const bringBack = await primary.halt(how);
      const mend = async () => {
        bringBack();
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

/** On every primary; a replica takes what its primary has taken. */
function outOfMemory(lastsS: Fault['lastsS']): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async ({ stand: { redis } }) => {
      const limit = async (bytes: string) => {
        for (const at of await redis.primaries())
          await ask(redis.ports[at]!, (client) => client.config('SET', 'maxmemory', bytes));
      };
      await limit('1mb');
      return { what: 'every Redis primary: maxmemory 1mb', mend: () => limit('0') };
    },
  };
}

export const REDIS_FAULTS = {
  'kill-redis': redisNodeFault('SIGKILL', [1, 6]),
  'freeze-redis': redisNodeFault('SIGSTOP', [1, 6]),
  'redis-down': everyRedisDown,
  'failover-losing-writes': failoverLosingWrites,
  'redis-oom': outOfMemory([2, 4]),
  'redis-oom-long': outOfMemory(BLIND_S),
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
} as const satisfies Record<string, Fault>;

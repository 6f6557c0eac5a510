import type { Disk } from './disk.ts';
import { BOTH, type Fault } from './fault.ts';
import type { Stand } from './stand.ts';

/** Longer than enforcers wait for a lease, and what it takes until every partition has met it. */
export const BLIND_S = [21, 24] as const;

async function freeAll(disks: readonly Disk[]): Promise<void> {
  await Promise.all(disks.map((disk) => disk.free()));
}

function redisFull(which: 'primary' | 'every', lastsS: Fault['lastsS']): Fault {
  return {
    lastsS,
    topologies: BOTH,
    disks: 'own',
    inject: async ({ stand: { redis } }) => {
      const [primary] = await redis.primaries();
      const full = which === 'every' ? redis.disks : [redis.disks[primary!]!];
      await Promise.all(full.map((disk) => disk.fill()));
      const mend = async () => {
        await freeAll(full);
        for (const node of redis.nodes) node.start(); // a replica that cannot write what it is sent has ended
        await redis.untilReady();
      };
      return { what: `${which === 'every' ? 'every Redis node' : redis.nodes[primary!]!.name}: disk full`, mend };
    },
  };
}

/** A broker whose only log folder fails ends by itself: it is started again when there is room. */
function brokersFull(count: number, lastsS: Fault['lastsS']): Fault {
  return {
    lastsS,
    topologies: BOTH,
    disks: 'own',
    inject: async ({ stand, topic }) => {
      const full = stand.brokers.disks.slice(0, count);
      await Promise.all(full.map((disk) => disk.fill()));
      const mend = async () => {
        await freeAll(full);
        for (const node of stand.brokers.nodes) node.start();
        await stand.brokers.untilReady();
        await stand.brokers.untilInSync(topic);
      };
      return { what: `${namesOf(stand, count)}: disk full`, mend };
    },
  };
}

function namesOf({ brokers: { nodes } }: Stand, count: number): string {
  return nodes
    .slice(0, count)
    .map(({ name }) => name)
    .join(', ');
}

export const DISK_FAULTS = {
  'redis-disk-full': redisFull('primary', [6, 8]),
  'redis-disks-full': redisFull('every', BLIND_S),
  'broker-disk-full': brokersFull(1, [8, 10]),
  'broker-disks-full': brokersFull(3, BLIND_S),
} as const satisfies Record<string, Fault>;

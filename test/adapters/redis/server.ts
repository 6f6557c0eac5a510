import { connectRedis, RedisSettings } from '../../../src/adapters/redis/connection.ts';
import { stateKeys } from '../../../src/adapters/redis/keys.ts';
import { ACQUIRE } from '../../../src/adapters/redis/scripts/acquire-3.ts';
import { CHECKPOINT } from '../../../src/adapters/redis/scripts/checkpoint-3.ts';
import { DISCARD } from '../../../src/adapters/redis/scripts/discard-3.ts';
import { HEADERS } from '../../../src/adapters/redis/scripts/headers-3.ts';
import { LOAD } from '../../../src/adapters/redis/scripts/load-3.ts';
import { PROBE } from '../../../src/adapters/redis/scripts/probe-3.ts';
import { RESTORE } from '../../../src/adapters/redis/scripts/restore-3.ts';
import { WRITE_CHUNK } from '../../../src/adapters/redis/scripts/write-chunk-3.ts';
import { RedisStateStore } from '../../../src/adapters/redis/state-store.ts';
import { HEADER_BYTES, type StateServer } from '../../contracts/state-server.ts';
import { FaultProxy } from '../../services/fault-proxy.ts';
import { startOwnRedis } from './own-redis.ts';

const SCRIPTS = [ACQUIRE, CHECKPOINT, DISCARD, HEADERS, LOAD, PROBE, RESTORE, WRITE_CHUNK];

export async function openStore(url: string, settings: Partial<RedisSettings> = {}): Promise<RedisStateStore> {
  const connections = await connectRedis(RedisSettings.parse({ url, ...settings }), () => undefined);
  return new RedisStateStore(connections, { headerBytes: HEADER_BYTES });
}

/** A real server, and stores that reach it through the proxy. */
export async function startRedisState(): Promise<StateServer> {
  const redis = await startOwnRedis();
  const proxy = await FaultProxy.start(redis.port);
  const { admin } = redis;
  // So that a fault meets the call itself, never the one that learns that the server does not know the script.
  for (const { lua } of SCRIPTS) await admin.script('LOAD', lua);
  const keys = (partition: number) => stateKeys('fb', partition);
  return {
    open: () => openStore(`redis://127.0.0.1:${proxy.port}`),
    failNext: (...faults) => proxy.failNext(...faults),
    deliver: () => proxy.deliver(),
    mark: async (partition) => {
      const dumps = await Promise.all(keys(partition).map((key) => admin.dumpBuffer(key)));
      return async () => {
        const back = admin.multi().del(...keys(partition));
        keys(partition).forEach((key, i) => {
          const dump = dumps[i];
          if (dump) back.restore(key, 0, dump);
        });
        await back.exec();
      };
    },
    flush: async () => void (await admin.flushall()),
    remove: async (partition, session) => void (await admin.hdel(keys(partition)[1], session)),
    put: async (partition, session, bytes) => void (await admin.hset(keys(partition)[1], session, Buffer.from(bytes))),
    setNext: async (partition, next) => void (await admin.hset(keys(partition)[0], 'next', next)),
    stop: async () => {
      await proxy.stop();
      await redis.stop();
    },
  };
}

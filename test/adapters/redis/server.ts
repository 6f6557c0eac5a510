import { connectRedis, RedisSettings } from '../../../src/adapters/redis/connection.ts';
import { RedisStateStore } from '../../../src/adapters/redis/state-store.ts';
import { HEADER_BYTES, type StateServer } from '../../contracts/state-server.ts';
import { FaultProxy } from '../../services/fault-proxy.ts';
import { foreignHand, loadScripts } from './foreign-hand.ts';
import { startOwnRedis } from './own-redis.ts';

export async function openStore(url: string, settings: Partial<RedisSettings> = {}): Promise<RedisStateStore> {
  const connections = await connectRedis(RedisSettings.parse({ url, ...settings }), () => undefined);
  return new RedisStateStore(connections, { headerBytes: HEADER_BYTES });
}

/** A real server, and stores that reach it through the proxy. */
export async function startRedisState(): Promise<StateServer> {
  const redis = await startOwnRedis();
  const proxy = await FaultProxy.start(redis.port);
  const { admin } = redis;
  await loadScripts(admin);
  return {
    open: () => openStore(`redis://127.0.0.1:${proxy.port}`),
    failNext: (...faults) => proxy.failNext(...faults),
    deliver: () => proxy.deliver(),
    ...foreignHand(admin),
    stop: async () => {
      await proxy.stop();
      await redis.stop();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, RedisSettings } from '../../../src/adapters/redis/connection.ts';
import { stateKeys } from '../../../src/adapters/redis/keys.ts';
import type { RedisStateStore } from '../../../src/adapters/redis/state-store.ts';
import { bytes, chunk, contents, lastChunk } from '../../contracts/state-server.ts';
import { documentedRedisUser } from '../../services/documented-rights.ts';
import { FaultProxy } from '../../services/fault-proxy.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { openStore } from './server.ts';

const UNKNOWN = { name: 'TenureLost', reason: 'unknown' };

describe('RedisStateStore on a server that misbehaves', () => {
  let redis: OwnRedis;
  let store: RedisStateStore;
  let partition = 0;

  beforeAll(async () => {
    redis = await startOwnRedis();
    store = await openStore(redis.url);
  });
  afterAll(async () => {
    await store?.close();
    await redis?.stop();
  });

  it('does not know what a timed out write did, and shows it whole to the next owner', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    redis.signal('SIGSTOP');
    const startedMs = performance.now();
    await expect(tenure.write(lastChunk({ one: bytes('late') }, 2, 1))).rejects.toThrow('Command timed out');
    expect(performance.now() - startedMs).toBeLessThan(1500);
    await expect(tenure.probe()).rejects.toMatchObject(UNKNOWN);
    redis.signal('SIGCONT');
    // The frozen server executes it now: before the next acquire, so it counts, whole.
    const next = await store.acquire(partition);
    expect(await contents(next)).toMatchObject({ next: 2, sessions: { one: 'late' } });
    await next.probe();
  });

  it('leaves a server that stays silent, and comes back', async () => {
    partition += 1;
    const errors: string[] = [];
    const settings = RedisSettings.parse({ url: redis.url, silenceTimeoutMs: 1000 });
    const connections = await connectRedis(settings, (error) => errors.push(error.message));
    redis.signal('SIGSTOP');
    await sleep(3500);
    redis.signal('SIGCONT');
    expect(errors).toContain(`Redis 127.0.0.1:${redis.port} is silent, connecting anew`);
    await expect
      .poll(() => [connections.state.status, connections.probe.status], { timeout: 5000 })
      .toEqual(['ready', 'ready']);
    connections.close();
    await (await store.acquire(partition)).probe();
  });

  it('keeps the connection that follows a lost one', async () => {
    const proxy = await FaultProxy.start(redis.port);
    const closes: string[] = [];
    const connections = await connectRedis(
      RedisSettings.parse({ url: `redis://127.0.0.1:${proxy.port}` }),
      () => undefined,
    );
    connections.state.on('close', () => closes.push('close'));
    proxy.failNext('late');
    await expect(connections.state.evalsha('f'.repeat(40), 0)).rejects.toThrow();
    await sleep(4000);
    expect(closes).toEqual(['close']);
    expect(await connections.state.ping()).toBe('PONG');
    connections.close();
    await proxy.stop();
  });

  it('tells the server the scripts again that it forgot', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    for (const next of [2, 3]) {
      await redis.admin.script('FLUSH');
      await tenure.write(lastChunk({ one: bytes(String(next)) }, next, 1));
      await redis.admin.script('FLUSH');
      await tenure.probe();
    }
    await redis.admin.script('FLUSH');
    expect(await contents(await store.acquire(partition))).toMatchObject({ next: 3, sessions: { one: '3' } });
  });

  it('writes all of a chunk or nothing when the server is full', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    await redis.admin.config('SET', 'maxmemory', '1');
    await expect(tenure.write(chunk({ one: null, two: bytes('2') }))).rejects.toThrow('OOM');
    await redis.admin.config('SET', 'maxmemory', '0');
    await expect(tenure.probe()).rejects.toMatchObject(UNKNOWN);
    const [meta, sessions, undo] = stateKeys('fb', partition);
    expect(await redis.admin.hgetall(sessions)).toEqual({ one: '1' });
    expect(await redis.admin.exists(undo)).toBe(0);
    expect(await redis.admin.hget(meta, 'next')).toBe('1');
  });

  it('changes nothing when a key has a wrong type', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    const [meta, sessions, undo] = stateKeys('fb', partition);
    await redis.admin.set(undo, 'a string');
    const before = await redis.admin.hgetall(meta);
    await expect(tenure.write(chunk({ one: bytes('1') }))).rejects.toThrow('WRONGTYPE');
    expect(await redis.admin.hgetall(meta)).toEqual(before);
    expect(await redis.admin.exists(sessions)).toBe(0);
    await redis.admin.del(undo);
  });

  it('finds a journal that was dropped, and discards what it can no longer put back', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    await tenure.write(chunk({ one: bytes('ahead of next') }));
    await redis.admin.del(stateKeys('fb', partition)[2]);
    await expect(tenure.probe()).rejects.toMatchObject({ reason: 'state_lost' });
    const next = await store.acquire(partition);
    expect(next.discarded).toBe('0 journal entries instead of 1');
    expect(next.checkpoint).toBeUndefined();
    expect(next.headers.size).toBe(0);
  });

  it('compares the state of the partition itself when the server was started again', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    await redis.admin.hset(stateKeys('fb', partition)[0], 'partition', 'other bytes');
    // The first probe has no run id to compare with, as after a restart.
    await expect(tenure.probe()).rejects.toMatchObject({ reason: 'state_lost' });
  });

  it('keeps no time to live', async () => {
    partition += 1;
    const tenure = await store.acquire(partition);
    await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
    await tenure.write(chunk({ one: bytes('2') }));
    for (const key of stateKeys('fb', partition)) expect(await redis.admin.ttl(key)).toBe(-1);
  });

  it('needs no more rights than it says', async () => {
    partition += 1;
    await redis.admin.call('ACL', ...(await documentedRedisUser('secret', 'fb')));
    const limited = await openStore(`redis://analyzer:secret@127.0.0.1:${redis.port}`);
    await redis.admin.script('FLUSH');
    const tenure = await limited.acquire(partition);
    await tenure.write(chunk({ one: bytes('1') }));
    await tenure.probe();
    const again = await limited.acquire(partition);
    await again.write(lastChunk({ one: bytes('1') }, 1, 1));
    await redis.admin.hdel(stateKeys('fb', partition)[1], 'one');
    expect((await limited.acquire(partition)).discarded).toBe('0 sessions instead of 1');
    await limited.close();
  });
});

describe('connectRedis', () => {
  it.each(['allkeys-lru', 'volatile-ttl'])('refuses maxmemory-policy %s', async (policy) => {
    const redis = await startOwnRedis('--maxmemory-policy', policy);
    await expect(openStore(redis.url)).rejects.toThrow(
      `Redis 127.0.0.1:${redis.port} has maxmemory-policy ${policy} and would drop state when it is full; set it to noeviction`,
    );
    await redis.stop();
  });

  it('says within its time why there is no connection', async () => {
    const startedMs = performance.now();
    await expect(openStore('redis://127.0.0.1:1', { readyTimeoutMs: 500 })).rejects.toThrow(
      'Redis is not ready after 500 ms: connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { Tenure } from '../../../src/ports.ts';
import { bytes, chunk, contents, lastChunk } from '../../contracts/state-server.ts';
import { startGuarded } from '../../services/guarded.ts';
import { freePorts } from '../../services/installed.ts';
import { startOwnRedis } from './own-redis.ts';
import { openStore } from './server.ts';

describe('RedisStateStore', () => {
  it('spreads partitions over a cluster, and finds them again', async () => {
    const nodes = await Promise.all([0, 1, 2].map(() => startOwnRedis('--cluster-enabled', 'yes')));
    const bounds = [0, 5461, 10_923, 16_384];
    for (const [i, node] of nodes.entries()) {
      await node.admin.cluster('SET-CONFIG-EPOCH', i + 1);
      await node.admin.call('CLUSTER', 'ADDSLOTSRANGE', bounds[i]!, bounds[i + 1]! - 1);
      await node.admin.cluster('MEET', '127.0.0.1', nodes[0]!.port);
    }
    for (const { admin } of nodes) {
      await expect
        .poll(() => admin.cluster('INFO'), { timeout: 20_000 })
        .toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:3/);
    }

    const store = await openStore(`redis+cluster://127.0.0.1:${nodes[0]!.port},127.0.0.1:${nodes[1]!.port}`);
    const partitions = Array.from({ length: 24 }, (_, partition) => partition);
    for (const partition of partitions) {
      const tenure = await store.acquire(partition);
      await tenure.write(lastChunk({ one: bytes(`of ${partition}`) }, partition, 1));
      await tenure.write(chunk({ one: null, two: bytes('ahead') }));
      await tenure.probe();
    }
    for (const { admin } of nodes) expect(await admin.dbsize()).toBe(8 * 3);
    for (const partition of partitions) {
      const expected = { next: partition, sessions: { one: `of ${partition}` } };
      expect(await contents(await store.acquire(partition))).toMatchObject(expected);
    }

    for (const { admin } of nodes) await admin.client('KILL', 'TYPE', 'normal');
    for (const partition of partitions) {
      const acquired = () => store.acquire(partition).then(contents, () => undefined);
      await expect.poll(acquired, { timeout: 5000 }).toMatchObject({ next: partition });
    }

    await store.close();
    await nodes[2]!.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(openStore(`redis+cluster://127.0.0.1:${nodes[0]!.port}`)).rejects.toThrow(
      `Redis 127.0.0.1:${nodes[2]!.port} has maxmemory-policy allkeys-lru`,
    );
    for (const node of nodes) await node.stop();
  }, 60_000);

  it('follows a failover behind Sentinel', async () => {
    const primary = await startOwnRedis('--repl-diskless-sync-delay', '0');
    const replica = await startOwnRedis('--replicaof', `127.0.0.1 ${primary.port}`, '--repl-diskless-sync-delay', '0');
    const [port] = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), 'firebreak-sentinel-'));
    const settings = [
      `port ${port}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 5000',
    ];
    writeFileSync(join(folder, 'sentinel.conf'), settings.join('\n'));
    const sentinel = startGuarded(['redis-server', join(folder, 'sentinel.conf'), '--sentinel'], folder);
    await expect.poll(() => replica.admin.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
    const watcher = new Redis(port!, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
    watcher.on('error', () => undefined); // refused until Sentinel listens
    await expect.poll(async () => watcher.info('sentinel'), { timeout: 20_000 }).toContain('slaves=1');

    const store = await openStore(`redis+sentinel://127.0.0.1:${port}/main`);
    const tenure = await store.acquire(1);
    await tenure.write(lastChunk({ one: bytes('1') }, 10, 1));
    expect(await primary.admin.wait(1, 5000)).toBe(1);

    primary.signal('SIGSTOP');
    await expect(tenure.write(lastChunk({ one: bytes('never seen again') }, 11, 1))).rejects.toThrow();
    const acquire = (): Promise<Tenure | undefined> => store.acquire(1).catch(() => undefined);
    let after: Tenure | undefined;
    await expect.poll(async () => (after = await acquire()), { timeout: 40_000 }).toBeDefined();
    expect(await contents(after!)).toMatchObject({ next: 10, sessions: { one: '1' } });
    await after!.write(lastChunk({ one: bytes('2') }, 12, 1));
    await after!.probe();
    expect(await replica.admin.role()).toContain('master');

    watcher.disconnect();
    await store.close();
    await sentinel.stop();
    for (const redis of [primary, replica]) await redis.stop();
  }, 90_000);
});

import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

const OLDEST: readonly [major: number, minor: number] = [6, 2];

/** Throws when a server may evict state, or is too old for the scripts. INFO, because an ACL user has no CONFIG. */
export async function checkServer(redis: RedisClient): Promise<void> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  for (const node of nodes) await checkNode(node);
}

async function checkNode(node: Redis): Promise<void> {
  const where = `Redis ${node.options.host}:${node.options.port}`;
  const version = field(await node.info('server'), 'redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new Error(`${where} is version ${version}; Firebreak needs ${OLDEST.join('.')} or later`);
  }
  const policy = field(await node.info('memory'), 'maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new Error(
      `${where} has maxmemory-policy ${policy} and would drop state when it is full; ` +
        'set it to noeviction: CONFIG SET maxmemory-policy noeviction, and in redis.conf',
    );
  }
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
}

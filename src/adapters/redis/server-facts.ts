import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/** What one server says of itself, from INFO alone: an ACL user of ours may ask nothing else. */
export interface ServerFacts {
  where: string;
  version: string;
  /** Its clock, ms since 1970. */
  clockMs: number;
  usedBytes: number;
  /** 0: no limit but the machine's. */
  maxBytes: number;
  appendOnly: boolean;
  replicas: number;
}

export async function readServerFacts(redis: RedisClient): Promise<ServerFacts[]> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  return Promise.all(nodes.map(factsOf));
}

async function factsOf(node: Redis): Promise<ServerFacts> {
  const fields = new Map<string, string>();
  for (const section of ['server', 'memory', 'persistence', 'replication']) {
    for (const [, name, value] of (await node.info(section)).matchAll(/^(\w+):(.*?)\r?$/gm)) fields.set(name!, value!);
  }
  const number = (name: string) => Number(fields.get(name) ?? 0);
  return {
    where: `${node.options.host}:${node.options.port}`,
    version: fields.get('redis_version') ?? 'unknown',
    clockMs: number('server_time_usec') / 1000,
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    appendOnly: fields.get('aof_enabled') === '1',
    replicas: number('connected_slaves'),
  };
}

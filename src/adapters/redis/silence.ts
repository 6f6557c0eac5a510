import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

const PING_EVERY_MS = 1000;

/**
 * Leaves a server that has answered no PING for about `silentMs`, so that the client connects anew: a frozen one
 * closes nothing, and TCP goes on acknowledging for it. ioredis has `socketTimeout` for this, but up to 5.11 its timer
 * outlives the socket and then ends the healthy next one (ioredis issue 2147). Answers what ends the watch.
 */
export function watchSilence(redis: RedisClient, silentMs: number, onError: (error: Error) => void): () => void {
  const missed = new WeakMap<Redis, number>();
  const allowed = Math.max(1, Math.round(silentMs / PING_EVERY_MS));

  async function check(node: Redis): Promise<void> {
    if (node.status !== 'ready') return void missed.delete(node);
    try {
      await node.ping();
      missed.delete(node);
    } catch (error) {
      // An error that the server itself answers (busy, loading) is a sign of life; a closed connection is seen anyway.
      if (!(error instanceof Error && error.message === 'Command timed out')) return void missed.delete(node);
      missed.set(node, (missed.get(node) ?? 0) + 1);
      if (missed.get(node)! < allowed || node.status !== 'ready') return;
      missed.delete(node);
      onError(new Error(`Redis ${node.options.host}:${node.options.port} is silent, connecting anew`));
      node.disconnect(true);
    }
  }

  const timer = setInterval(() => {
    for (const node of redis instanceof Cluster ? redis.nodes('all') : [redis]) void check(node);
  }, PING_EVERY_MS).unref();
  return () => clearInterval(timer);
}

import { randomUUID } from 'node:crypto';
import type { StateStore } from '../../ports.ts';
import type { RedisClient } from './client.ts';
import { type RedisConnections, untilReady } from './connection.ts';
import { stateKeys } from './keys.ts';
import { OwnedPartition } from './owned-partition.ts';
import { type Acquired, RedisTenure } from './tenure.ts';

export interface RedisStateOptions {
  /** First part of every key name. */
  prefix?: string;
  /** How much of each session `Tenure.headers` holds. */
  headerBytes: number;
}

/** State in Redis 6.2 or later, single, behind Sentinel, or a cluster. Owns its connections: `close` ends them. */
export class RedisStateStore implements StateStore {
  readonly #connections: RedisConnections;
  readonly #prefix: string;
  readonly #headerBytes: number;

  constructor(connections: RedisConnections, { prefix = 'fb', headerBytes }: RedisStateOptions) {
    this.#connections = connections;
    this.#prefix = prefix;
    this.#headerBytes = headerBytes;
  }

  acquire(partition: number): Promise<RedisTenure> {
    return this.#take(partition, settle);
  }

  discard(partition: number, reason: string): Promise<RedisTenure> {
    return this.#take(partition, async (redis, owned) => {
      await owned.acquire(redis);
      return discard(redis, owned, reason);
    });
  }

  async #take(partition: number, take: typeof settle): Promise<RedisTenure> {
    const redis = this.#connections.state;
    await untilReady(redis, this.#connections.readyTimeoutMs);
    const owned = new OwnedPartition(partition, stateKeys(this.#prefix, partition), randomUUID());
    const { checkpoint, discarded } = await take(redis, owned);
    const headers = await owned.headers(redis, this.#headerBytes);
    if (headers.size !== (checkpoint?.sessions ?? 0)) {
      throw new Error(`partition ${partition}: ${checkpoint?.sessions ?? 0} sessions, but ${headers.size} names`);
    }
    return new RedisTenure(this.#connections, owned, { checkpoint, discarded, headers });
  }

  async close(): Promise<void> {
    this.#connections.close();
  }
}

/** Brings what the partition holds to its consistent point, or to nothing when there is none any more. */
async function settle(redis: RedisClient, owned: OwnedPartition): Promise<Omit<Acquired, 'headers'>> {
  const { sessions, journal } = await owned.acquire(redis);
  if (sessions.held !== sessions.recorded) {
    return discard(redis, owned, `${sessions.held} sessions instead of ${sessions.recorded}`);
  }
  if (journal.held !== journal.recorded) {
    return discard(redis, owned, `${journal.held} journal entries instead of ${journal.recorded}`);
  }
  for (let left = journal.held; left > 0; ) left = await owned.restore(redis);
  const { point, held } = await owned.checkpoint(redis);
  const recorded = point?.sessions ?? 0;
  if (held !== recorded) return discard(redis, owned, `${held} sessions instead of ${recorded} at the checkpoint`);
  return { checkpoint: point, discarded: undefined };
}

async function discard(redis: RedisClient, owned: OwnedPartition, why: string): Promise<Omit<Acquired, 'headers'>> {
  await owned.discard(redis);
  return { checkpoint: undefined, discarded: why };
}

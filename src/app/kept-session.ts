import { connectRedis } from '../adapters/redis/connection.ts';
import { stateKeys } from '../adapters/redis/keys.ts';
import { partitionOf } from '../domain/partitioner.ts';
import type { PartitionState } from '../engine/partition-state.ts';
import { decodeSession } from '../engine/session/codec.ts';
import type { Session } from '../engine/session/session.ts';
import { decodeCheckpointBody } from './checkpoint-body.ts';
import type { Config } from './config.ts';

/** A session as the last checkpoint in Redis knows it, and its partition. */
export interface KeptSession {
  partition: number;
  state: PartitionState;
  session: Session;
}

/** Reads and changes nothing. A running analyzer may be up to a checkpoint ahead. Throws where nothing is known. */
export async function readKeptSession(settings: Config['redis'], id: string): Promise<KeptSession> {
  const connections = await connectRedis(settings, () => {});
  try {
    const redis = connections.state;
    const saved = await redis.hgetBuffer(stateKeys(settings.keyPrefix, 0)[0], 'partition');
    if (saved === null) throw new Error(`no state under the key prefix "${settings.keyPrefix}" in this Redis`);
    const { partitions } = decodeCheckpointBody(saved);
    const partition = partitionOf(id, partitions);
    const [meta, sessions] = stateKeys(settings.keyPrefix, partition);
    const [body, bytes] = [await redis.hgetBuffer(meta, 'partition'), await redis.hgetBuffer(sessions, id)];
    if (body === null || bytes === null) {
      throw new Error(`session "${id}": nothing is known of it (partition ${partition})`);
    }
    return { partition, state: decodeCheckpointBody(body).state, session: decodeSession(id, bytes) };
  } finally {
    connections.close();
  }
}

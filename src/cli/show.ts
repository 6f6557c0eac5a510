import type { Command } from 'commander';
import { connectRedis } from '../adapters/redis/connection.ts';
import { stateKeys } from '../adapters/redis/keys.ts';
import { decodeCheckpointBody } from '../app/checkpoint-body.ts';
import { partitionOf } from '../domain/partitioner.ts';
import { decodeSession } from '../engine/session/codec.ts';
import { snapshotOf } from '../engine/session/snapshot.ts';
import { configOf, configOptions } from './settings.ts';

export function registerShow(program: Command): void {
  const show = program
    .command('show')
    .description('what the last checkpoint in Redis knows of a session, as JSON')
    .argument('<session>', 'its id')
    .addHelpText('after', '\nIt reads and changes nothing. A running analyzer may be up to a checkpoint ahead.');
  configOptions(show, (path) => path.startsWith('redis.')).action(run);
}

async function run(session: string, options: Record<string, unknown>): Promise<void> {
  const { redis: settings } = configOf(options);
  const connections = await connectRedis(settings, () => {});
  try {
    const redis = connections.state;
    const saved = await redis.hgetBuffer(stateKeys(settings.keyPrefix, 0)[0], 'partition');
    if (saved === null) throw new Error(`no state under the key prefix "${settings.keyPrefix}" in this Redis`);
    const { partitions } = decodeCheckpointBody(saved);
    const partition = partitionOf(session, partitions);
    const bytes = await redis.hgetBuffer(stateKeys(settings.keyPrefix, partition)[1], session);
    if (bytes === null) throw new Error(`session "${session}": nothing is known of it (partition ${partition})`);
    process.stdout.write(`${JSON.stringify(snapshotOf(decodeSession(session, bytes)), null, 2)}\n`);
  } finally {
    connections.close();
  }
}

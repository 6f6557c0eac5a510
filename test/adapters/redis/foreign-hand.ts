import type { Redis } from 'ioredis';
import { stateKeys } from '../../../src/adapters/redis/keys.ts';
import { ACQUIRE } from '../../../src/adapters/redis/scripts/acquire-3.ts';
import { CHECKPOINT } from '../../../src/adapters/redis/scripts/checkpoint-3.ts';
import { DISCARD } from '../../../src/adapters/redis/scripts/discard-3.ts';
import { HEADERS } from '../../../src/adapters/redis/scripts/headers-3.ts';
import { LOAD } from '../../../src/adapters/redis/scripts/load-3.ts';
import { PROBE } from '../../../src/adapters/redis/scripts/probe-3.ts';
import { RESTORE } from '../../../src/adapters/redis/scripts/restore-3.ts';
import { WRITE_CHUNK } from '../../../src/adapters/redis/scripts/write-chunk-3.ts';
import type { StateServer } from '../../contracts/state-server.ts';

const SCRIPTS = [ACQUIRE, CHECKPOINT, DISCARD, HEADERS, LOAD, PROBE, RESTORE, WRITE_CHUNK];

/** So that a fault meets the call itself, never the one that learns that the server does not know the script. */
export async function loadScripts(admin: Redis): Promise<void> {
  for (const { lua } of SCRIPTS) await admin.script('LOAD', lua);
}

/** What happens to the state of a real server besides its owners' calls. */
export function foreignHand(admin: Redis): Pick<StateServer, 'mark' | 'flush' | 'remove' | 'put' | 'setNext'> {
  const keys = (partition: number) => stateKeys('fb', partition);
  return {
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
  };
}

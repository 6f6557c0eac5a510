import { setTimeout as sleep } from 'node:timers/promises';
import { stateKeys } from '../../src/adapters/redis/keys.ts';
import type { Fault, Random } from './fault.ts';
import { ask, type RedisNodes } from './redis-nodes.ts';

const KEYS_MAX = 100;
const MIGRATE_WITHIN_MS = 5000;

/**
 * The slot of a partition moves to another node of the cluster in the steps of `redis-cli --cluster reshard`, with a pause
 * after each. Until it is over the scripts are answered TRYAGAIN (not all keys are on one side; the journal is on neither)
 * and, once the old node has none of them, ASK.
 */
export const slotMigration: Fault = {
  lastsS: [1, 3],
  topologies: ['cluster'],
  inject: async ({ stand: { redis }, prefix, partitions }, random) => {
    const partition = Math.floor(random() * partitions);
    const [meta] = stateKeys(prefix, partition);
    const from = await nodeOf(redis, meta);
    const to = (from + 1 + Math.floor(random() * (redis.ports.length - 1))) % redis.ports.length;
    const moving = await Migration.begin(redis, meta, from, to);
    const mend = async () => {
      await moving.move(1);
      await pause(random);
      await moving.move(KEYS_MAX);
      await pause(random);
      await moving.end();
    };
    const [old, other] = [redis.nodes[from]!.name, redis.nodes[to]!.name];
    return { what: `partition ${partition}: its slot goes from ${old} to ${other}, key by key`, mend };
  },
};

function pause(random: Random): Promise<void> {
  return sleep(1000 + random() * 2000);
}

/** The node that says the slot of the key is its own. */
async function nodeOf({ ports }: RedisNodes, key: string): Promise<number> {
  for (const [node, port] of ports.entries()) {
    const owned = await ask(port, (client) => client.exists(key)).then(
      () => true,
      (error: Error) => {
        if (error.message.startsWith('MOVED')) return false;
        throw error;
      },
    );
    if (owned) return node;
  }
  throw new Error(`no node has the slot of ${key}`);
}

class Migration {
  readonly #redis: RedisNodes;
  readonly #slot: number;
  readonly #from: number;
  readonly #to: number;
  readonly #toId: string;

  private constructor(redis: RedisNodes, slot: number, from: number, to: number, toId: string) {
    this.#redis = redis;
    this.#slot = slot;
    this.#from = from;
    this.#to = to;
    this.#toId = toId;
  }

  static async begin(redis: RedisNodes, key: string, from: number, to: number): Promise<Migration> {
    const id = (node: number) => ask(redis.ports[node]!, (client) => client.cluster('MYID') as Promise<string>);
    const slot = await ask(redis.ports[from]!, (client) => client.cluster('KEYSLOT', key) as Promise<number>);
    const [fromId, toId] = [await id(from), await id(to)];
    await ask(redis.ports[to]!, (client) => client.cluster('SETSLOT', slot, 'IMPORTING', fromId));
    await ask(redis.ports[from]!, (client) => client.cluster('SETSLOT', slot, 'MIGRATING', toId));
    return new Migration(redis, slot, from, to, toId);
  }

  /** Answers how many keys went over. */
  move(keysMax: number): Promise<number> {
    const { ports } = this.#redis;
    return ask(ports[this.#from]!, async (client) => {
      const keys = (await client.call('CLUSTER', 'GETKEYSINSLOT', this.#slot, keysMax)) as string[];
      for (const key of keys) await client.migrate('127.0.0.1', ports[this.#to]!, key, 0, MIGRATE_WITHIN_MS);
      return keys.length;
    });
  }

  /** First the new owner says that the slot is its own, then the old one lets go. */
  async end(): Promise<void> {
    while ((await this.move(KEYS_MAX)) > 0);
    const { ports } = this.#redis;
    const others = ports.filter((_, node) => node !== this.#from && node !== this.#to);
    for (const port of [ports[this.#to]!, ports[this.#from]!, ...others])
      await ask(port, (client) => client.cluster('SETSLOT', this.#slot, 'NODE', this.#toId));
  }
}

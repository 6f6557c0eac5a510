import fc from 'fast-check';
import { expect } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { ScriptedRedis } from '../adapters/redis/scripted-redis.ts';
import { OWNERS, operations, run, runInMemory } from './state-operations.ts';

/**
 * Random sequences of calls on the shipped scripts of a real Redis, on the memory adapter that the simulation runs on,
 * and on the plain oracle. Faults meet the calls between the store and its client: no connection has to break.
 */
export class Differential {
  readonly #redis: OwnRedis;
  #partition = 0;

  private constructor(redis: OwnRedis) {
    this.#redis = redis;
  }

  static async start(): Promise<Differential> {
    return new Differential(await startOwnRedis());
  }

  /** Throws the smallest sequence that differs. Lanes run at once, to keep the server busy. */
  async check({ sequences, lanes, seed }: { sequences: number; lanes: number; seed?: number }): Promise<void> {
    const each = Math.ceil(sequences / lanes);
    const lane = async (index: number) => {
      const server = await ScriptedRedis.start(this.#redis.admin);
      const stores = await Promise.all(OWNERS.map(() => server.open()));
      const property = fc.asyncProperty(operations, async (steps) => {
        this.#partition += 1;
        const partition = this.#partition;
        expect(await run(server, stores, partition, steps)).toEqual(await runInMemory(steps));
        await server.forget(partition);
      });
      await fc.assert(property, { numRuns: each, ...(seed === undefined ? {} : { seed: seed * lanes + index }) });
    };
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  }

  async stop(): Promise<void> {
    await this.#redis.stop();
  }
}

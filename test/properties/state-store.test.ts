import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../../src/ports.ts';
import { startRedisState } from '../adapters/redis/server.ts';
import type { StateServer } from '../contracts/state-server.ts';
import { Differential } from './redis-differential.ts';
import { OWNERS, operations, run, runInMemory } from './state-operations.ts';

/** `npm run test:long` asks for more. */
const { FIREBREAK_RANDOM_RUNS: sequences = '300', FIREBREAK_RANDOM_SEED: seed } = process.env;

describe('the state stores and a plain oracle', () => {
  it('agree in memory', async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (steps) => void (await runInMemory(steps))),
      { numRuns: 2000 },
    );
  }, 120_000);

  describe('on a real Redis', () => {
    let redis: StateServer;
    let stores: StateStore[];
    let partition = 0;

    beforeAll(async () => {
      redis = await startRedisState();
      stores = await Promise.all(OWNERS.map(() => redis.open()));
    });
    afterAll(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await redis.stop();
    });

    it('agree, and with memory, over connections that break', async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (steps) => {
          partition += 1;
          expect(await run(redis, stores, partition, steps)).toEqual(await runInMemory(steps));
        }),
        { numRuns: 40 },
      );
    }, 120_000);
  });

  it('agree, and with memory, in what the scripts answer and leave', async () => {
    const differential = await Differential.start();
    try {
      await differential.check({ sequences: Number(sequences), lanes: 4, ...(seed && { seed: Number(seed) }) });
    } finally {
      await differential.stop();
    }
  }, 0);
});

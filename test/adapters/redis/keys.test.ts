import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { slotTag, stateKeys } from '../../../src/adapters/redis/keys.ts';

// What ioredis itself hashes with; it has no types.
const calculateSlot = createRequire(import.meta.url)('cluster-key-slot') as (key: string) => number;
const SLOTS = 16_384;

describe('keys of a partition', () => {
  it('have one form for ever', () => {
    expect(stateKeys('fb', 17)).toEqual(['fb:{17-38}:m', 'fb:{17-38}:s', 'fb:{17-38}:u']);
    expect(stateKeys('test', 0)).toEqual(['test:{0-113}:m', 'test:{0-113}:s', 'test:{0-113}:u']);
  });

  it('lie in one slot', () => {
    for (let partition = 0; partition < 300; partition += 1) {
      expect(new Set(stateKeys('fb', partition).map((key) => calculateSlot(key))).size).toBe(1);
    }
  });

  it('are of different partitions', () => {
    expect(new Set(Array.from({ length: 2000 }, (_, partition) => slotTag(partition))).size).toBe(2000);
  });

  it.each([
    [64, 3, 22, 21],
    [64, 6, 11, 10],
    [64, 4, 17, 15],
    [64, 5, 14, 11],
    [24, 3, 8, 8],
    [24, 6, 4, 4],
    [12, 3, 4, 4],
    [256, 6, 43, 42],
  ])('spread %i partitions over %i nodes with equal slot ranges', (partitions, nodes, most, least) => {
    const loads = new Array<number>(nodes).fill(0);
    for (let partition = 0; partition < partitions; partition += 1) {
      const slot = calculateSlot(stateKeys('fb', partition)[0]);
      loads[Math.floor((slot * nodes) / SLOTS)]! += 1;
    }
    expect({ most: Math.max(...loads), least: Math.min(...loads) }).toEqual({ most, least });
  });
});

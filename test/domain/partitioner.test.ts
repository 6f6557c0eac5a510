import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../src/domain/partitioner.ts';

const kafkajs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (
  key: Buffer,
) => number;

describe('partitioner', () => {
  // Published in Apache Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('chooses the partition of kafkajs for any key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 5000 }), (key, partitions) => {
        expect(partitionOf(key, partitions)).toBe((kafkajs(Buffer.from(key)) & 0x7fffffff) % partitions);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes text as UTF-8', () => {
    expect(partitionOf('sitzung-ü', 64)).toBe(partitionOf(Buffer.from('sitzung-ü', 'utf8'), 64));
  });
});

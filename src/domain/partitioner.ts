/**
 * The partition of a key as Java's producer, kafkajs and librdkafka's `murmur2` choose it. Whoever writes sessions
 * with another hash splits a session over two partitions, and neither sees the sum.
 */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  return (murmur2(typeof key === 'string' ? encoder.encode(key) : key) & 0x7fffffff) % partitions;
}

const encoder = new TextEncoder();
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Kafka's variant of MurmurHash2, as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let h = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - at;
  if (rest > 0) {
    if (rest > 2) h ^= bytes[at + 2]! << 16;
    if (rest > 1) h ^= bytes[at + 1]! << 8;
    h = Math.imul(h ^ bytes[at]!, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The partition that a key such as `fb:3` names: that of a control record which belongs to no session. */
export function controlPartition(key: string): number | undefined {
  const found = /^fb:(0|[1-9]\d{0,5})$/.exec(key);
  return found === null ? undefined : Number(found[1]);
}

export function controlKey(partition: number): string {
  return `fb:${partition}`;
}

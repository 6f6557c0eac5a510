/** The three keys of a partition, in the order in which every script takes them as KEYS. */
export type StateKeys = readonly [meta: string, sessions: string, undo: string];

const SLOTS = 16_384;
/** The order in which partitions take the sixths of the slots: any three in a row lie in three different thirds. */
const SIXTHS = [0, 2, 4, 1, 3, 5] as const;
/** Bands of each sixth, in bit-reversed order: each next one falls into the widest gap. */
const SIXTEENTHS = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15] as const;
const BANDS = SIXTHS.length * SIXTEENTHS.length;

/**
 * The only place that makes key names. For partition 17 with tag `17-38`:
 *   `fb:{17-38}:m`  HASH  owner token, sequence, and the consistent point
 *   `fb:{17-38}:s`  HASH  session -> bytes
 *   `fb:{17-38}:u`  HASH  rollback journal: session -> bytes at the consistent point, or the mark for "absent"
 */
export function stateKeys(prefix: string, partition: number): StateKeys {
  const tagged = `${prefix}:{${slotTag(partition)}}`;
  return [`${tagged}:m`, `${tagged}:s`, `${tagged}:u`];
}

/**
 * All keys of a partition lie in one slot of Redis Cluster, and consecutive partitions in slots far apart. The plain
 * number would not do: CRC16 puts 14 of 64 partitions on one node of six and 7 on another. So each partition has a
 * band of slots, and the tag is its number with the first suffix that falls into that band. A function of the number
 * alone: it must never change, or the state is not found.
 */
export function slotTag(partition: number): string {
  const sixth = SIXTHS[partition % SIXTHS.length]!;
  const band = sixth * SIXTEENTHS.length + SIXTEENTHS[Math.floor(partition / SIXTHS.length) % SIXTEENTHS.length]!;
  for (let suffix = 0; ; suffix += 1) {
    const tag = `${partition}-${suffix}`;
    if (Math.floor(((crc16(tag) % SLOTS) * BANDS) / SLOTS) === band) return tag;
  }
}

/** CRC16-XMODEM of ASCII text, as Redis Cluster hashes a tag. */
function crc16(ascii: string): number {
  let crc = 0;
  for (let at = 0; at < ascii.length; at += 1) {
    crc ^= ascii.charCodeAt(at) << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

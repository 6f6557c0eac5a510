import { createHash } from 'node:crypto';

/**
 * 53 bits of a text, as an integer that a double holds exactly. For telling values apart inside one session (dedupe,
 * distinct): two of 256 values collide with probability 4e-12. It resists accidents, not an adversary who can choose
 * the values; a collision there hides one distinct value, it never hides a mark. (cyrb53, public domain.)
 */
export function fingerprint(text: string): number {
  let a = SEED_A;
  let b = SEED_B;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  return mixed(a, b);
}

/** The fingerprint of `parts.join('\0')`, without making that text. */
export function fingerprintOf(parts: readonly unknown[]): number {
  let a = SEED_A;
  let b = SEED_B;
  for (let at = 0; at < parts.length; at++) {
    if (at > 0) {
      a = Math.imul(a, 2654435761);
      b = Math.imul(b, 1597334677);
    }
    const part = parts[at];
    if (part === undefined || part === null) continue;
    const text = typeof part === 'string' ? part : String(part);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      a = Math.imul(a ^ unit, 2654435761);
      b = Math.imul(b ^ unit, 1597334677);
    }
  }
  return mixed(a, b);
}

const SEED_A = 0xdeadbeef;
const SEED_B = 0x41c6ce57;

function mixed(first: number, second: number): number {
  let a = first;
  let b = second;
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/**
 * 31 bits that name a part of a policy inside the session state, the same in every policy that has this part. A map
 * keeps a number of 32 bits in a place of its own in memory, and every look for it goes there.
 */
export function partId(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) >>> 1;
}

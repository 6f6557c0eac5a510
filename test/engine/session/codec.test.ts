import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeSession, encodeSession, SESSION_HEADER_BYTES } from '../../../src/engine/session/codec.ts';
import { Session } from '../../../src/engine/session/session.ts';
import { Log, planOf } from '../harness.ts';

/** A small generator of its own: the same bytes at every run. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state % below;
  };
}

/** A session with something of everything in it. */
function richSession(): Session {
  const log = new Log(
    planOf([
      { id: 'sliding', measure: { n: 'count', v: 'distinct(target)', s: 'sum(amount)' }, when: { watch: 'n > 9' } },
      { id: 'life', within: 'session', measure: { n: 'count', v: 'distinct(tool)' }, when: { watch: 'n / v > 99' } },
      { id: 'shadow', mode: 'shadow', when: { kill: 'n > 3' } },
    ]),
  );
  for (let i = 0; i < 60; i++) {
    log.act(
      i * 777 - (i % 9 === 0 ? 900_000 : 0),
      {
        outcome: i % 4 === 0 ? 'error' : 'ok',
        argsDigest: `d-${i % 5}`,
        amount: i / 3,
        tool: `tool-${i % 7}`,
        principal: { id: `p-${i % 3}` },
        tenant: 'corp',
        resource: { id: `r-${i}` },
        ...(i % 2 === 0 ? { source: `gw-${i % 3}`, seq: i } : {}),
      },
      i * 777,
    );
  }
  return log.partition.sessions.get('s-1')!;
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= SESSION_HEADER_BYTES) {
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(28, crc32(bytes.subarray(SESSION_HEADER_BYTES)));
  }
  return bytes;
}

/** Decodes and must end with a session that can be encoded again, or with a RangeError. */
function tryDecode(bytes: Uint8Array): 'decoded' | 'refused' {
  let session: Session;
  try {
    session = decodeSession('s-1', bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'refused';
  }
  expect(session.id).toBe('s-1');
  return 'decoded';
}

describe('the packed state of a session', () => {
  it('comes back to the last byte, also of an empty one and inside a larger buffer', () => {
    for (const session of [richSession(), new Session('s-1')]) {
      const bytes = encodeSession(session);
      expect(encodeSession(decodeSession('s-1', bytes))).toEqual(bytes);
      const inside = new Uint8Array(bytes.length + 20).fill(7);
      inside.set(bytes, 13);
      expect(encodeSession(decodeSession('s-1', inside.subarray(13, 13 + bytes.length)))).toEqual(bytes);
    }
  });

  it('is refused as soon as one bit of its body or checksum differs', () => {
    const bytes = encodeSession(richSession());
    for (let at = 28; at < bytes.length; at++) {
      bytes[at]! ^= 1 << (at % 8);
      expect(() => decodeSession('s-1', bytes)).toThrow(/checksum/);
      bytes[at]! ^= 1 << (at % 8);
    }
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ['another version', (bytes) => bytes.fill(9, 0, 1), /version 9; this program reads 7/],
    ['an unknown level', (bytes) => bytes.fill(4, 1, 2), /no level has the number 4/],
    ['a header cut short', (bytes) => bytes.slice(0, 31), /32 bytes/],
    ['bytes at the end', (bytes) => withChecksum(Uint8Array.from([...bytes, 0])), /1 bytes too many/],
    ['bytes missing', (bytes) => withChecksum(bytes.slice(0, -1)), /early|outside/],
  ])('is refused with %s', (_, spoil, message) => {
    const spoilt = spoil(encodeSession(richSession()));
    expect(() => decodeSession('s-1', spoilt)).toThrow(RangeError);
    expect(() => decodeSession('s-1', spoilt)).toThrow(message);
  });

  it('of 20,000 random and mutated byte strings none hangs or ends in another error than a RangeError', () => {
    const random = randoms(20_260_105);
    const whole = encodeSession(richSession());
    let decoded = 0;
    for (let i = 0; i < 20_000; i++) {
      let bytes: Uint8Array;
      if (i % 4 === 0) {
        bytes = Uint8Array.from({ length: random(300) }, () => random(256));
        if (i % 8 === 0 && bytes.length > 1) bytes.set([1, random(5)]);
      } else {
        bytes = i % 4 === 1 ? whole.slice(0, SESSION_HEADER_BYTES + random(whole.length)) : whole.slice();
        for (let n = random(4); n >= 0; n--)
          bytes[random(bytes.length)] = [0, 1, 127, 128, 255, random(256)][random(6)]!;
      }
      // Most with the right checksum: else nothing behind it would ever be read.
      if (tryDecode(random(10) === 0 ? bytes : withChecksum(bytes)) === 'decoded') decoded++;
    }
    expect(decoded).toBeGreaterThan(100);
    expect(decoded).toBeLessThan(15_000);
  });

  it('refuses a number of things that the bytes cannot hold before it makes room for them', () => {
    const empty = encodeSession(new Session('s-1'));
    const huge = [255, 255, 255, 255, 255, 255, 255, 15];
    for (let at = SESSION_HEADER_BYTES; at < empty.length; at++) {
      const bytes = Uint8Array.from([...empty.subarray(0, at), ...huge, ...empty.subarray(at + 1)]);
      tryDecode(withChecksum(bytes));
    }
  });
});

import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { loadPolicyFolder, policyHash } from '../../src/app/rule-folder.ts';
import { Partition } from '../../src/engine/partition.ts';
import { compilePolicy } from '../../src/engine/plan/policy.ts';
import { decodeSession, encodeSession, SESSION_HEADER_BYTES } from '../../src/engine/session/codec.ts';
import { step } from '../../src/engine/step.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import { traffic } from '../integration/traffic.ts';
import { runsOf } from '../properties/runs.ts';
import { endure } from './endurance.ts';
import { MutatedBytes } from './mutated-bytes.ts';

const USUAL = 5000;
const LONG_MS = 3_600_000;
const CHECKSUM_AT = 28;

/** Sessions as the shipped rules pack them. */
async function corpus(): Promise<Uint8Array[]> {
  const body = await loadPolicyFolder('rules');
  const partition = new Partition('topic', 0);
  partition.judgeUnder(compilePolicy(policyHash(body), body));
  const startMs = 1_700_000_000_000;
  for (const [offset, { key, value }] of traffic({ sessions: 40, events: 2000, seed: 1, startMs }).entries()) {
    const raw = {
      offset,
      appendMs: startMs + offset * 3,
      key: Buffer.from(String(key)),
      value: Buffer.from(String(value)),
      headers: {},
    };
    step(partition, decodeRecord(raw, undefined));
  }
  return [...partition.sessions.values()].map(encodeSession);
}

const packed = await corpus();

it(
  'reads any bytes as a session that packs into the same bytes again, or refuses them',
  () => {
    const inputs = new MutatedBytes(packed, runsOf({ numRuns: USUAL }).seed ?? 1);
    const seen = { read: 0, refused: 0 };
    endure(USUAL, () => {
      const bytes = inputs.next();
      // Damage is found by the checksum; behind it stands what another program might have written.
      if (bytes.length >= SESSION_HEADER_BYTES && inputs.upTo(20) > 0) {
        bytes[0] = packed[0]![0]!;
        bytes.writeUInt32BE(crc32(bytes.subarray(SESSION_HEADER_BYTES)), CHECKSUM_AT);
      }
      try {
        const again = encodeSession(decodeSession('s', bytes));
        if (Buffer.compare(encodeSession(decodeSession('s', again)), again) !== 0) expect.fail('packs otherwise');
        seen.read++;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        seen.refused++;
      }
    });
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(USUAL / 100);
  },
  LONG_MS,
);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawRecord } from '../../src/domain/record.ts';
import {
  decodeRecordedLine,
  encodeRecordedLine,
  encodeRecordedPolicy,
  isRecordedLine,
} from '../../src/formats/recorded-line.ts';

const raw = (more: Partial<RawRecord>): RawRecord => ({
  offset: 17,
  appendMs: Date.UTC(2026, 2, 2, 9),
  key: Buffer.from('conv-1'),
  value: Buffer.from('{"id":"e-1"}'),
  headers: {},
  ...more,
});

const anyBytes = fc.oneof(
  fc.uint8Array({ size: 'max', maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', size: 'max', maxLength: 500 }).map((text) => Buffer.from(text, 'utf8')),
);
const anyHeaders = fc.dictionary(
  fc.string({ maxLength: 20 }).filter((name) => name !== '__proto__'),
  fc.oneof(anyBytes, fc.array(anyBytes, { maxLength: 3 })),
  { maxKeys: 5 },
);

describe('the log form', () => {
  it('brings every record back byte by byte, on one line', () => {
    fc.assert(
      fc.property(
        fc.option(anyBytes),
        fc.option(anyBytes),
        anyHeaders,
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.integer({ min: 0, max: 4e12 }),
        (key, value, headers, offset, appendMs) => {
          const record = { offset, appendMs, key, value, headers };
          const line = encodeRecordedLine('topic', 3, record);
          expect(line).not.toMatch(/[\n\r]/);
          const bytes = Buffer.from(line);
          expect(isRecordedLine(bytes)).toBe(true);
          expect(decodeRecordedLine(bytes)).toEqual({ type: 'record', topicId: 'topic', partition: 3, raw: record });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is readable where the bytes are text', () => {
    expect(encodeRecordedLine('t', 0, raw({ headers: { ce_type: 'dev.firebreak.tick.v1' } }))).toBe(
      '{"topicId":"t","partition":0,"offset":"17","appendTime":"2026-03-02T09:00:00.000Z","key":"conv-1",' +
        '"headers":{"ce_type":"dev.firebreak.tick.v1"},"value":"{\\"id\\":\\"e-1\\"}"}',
    );
  });

  it('is never much larger than base64', () => {
    const value = Buffer.alloc(512 * 1024, 1);
    expect(encodeRecordedLine('t', 0, raw({ value })).length).toBeLessThan(value.length * 1.4);
  });

  it('brings the chunks of a policy back', () => {
    const hash = `sha256:${'a'.repeat(64)}`;
    const chunks = [Buffer.from('{"rules":'), Buffer.from([0xff, 0xfe])];
    const lines = encodeRecordedPolicy(hash, chunks);
    expect(lines.map((line) => decodeRecordedLine(Buffer.from(line)))).toEqual([
      { type: 'policy', hash, chunk: 0, chunks: 2, bytes: chunks[0] },
      { type: 'policy', hash, chunk: 1, chunks: 2, bytes: chunks[1] },
    ]);
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['a list', '[]', /found an? .*allowed: an object/],
    ['a missing field', '{"topicId":"t","offset":"1"}', /partition: found nothing/],
    ['an offset as number', encodeRecordedLine('t', 0, raw({})).replace('"17"', '17'), /offset: found 17/],
    ['an unknown field', encodeRecordedLine('t', 0, raw({})).replace('{', '{"more":1,'), /more/],
    ['text that is no base64', encodeRecordedLine('t', 0, raw({})).replace('"conv-1"', '{"base64":"!"}'), /key/],
    ['no instant', encodeRecordedLine('t', 0, raw({})).replace('T09', 'T99'), /appendTime/],
  ])('refuses %s', (_, line, reason) => {
    const decoded = decodeRecordedLine(Buffer.from(line));
    expect(decoded.type === 'unusable' ? decoded.reason : decoded).toMatch(reason);
  });

  it('does not take an action for a line of the log', () => {
    expect(isRecordedLine(Buffer.from('{"id":"e","session":"s","policy":"p"}'))).toBe(false);
    expect(isRecordedLine(Buffer.from('nothing'))).toBe(false);
  });
});

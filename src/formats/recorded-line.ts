import { z } from 'zod';
import { explainLine } from '../domain/explain.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import type { RawRecord } from '../domain/record.ts';

/**
 * The log form of a recording: one line per record of the log, and before the record that activates a policy the
 * lines with its body, so that the file alone replays to the same commands.
 *
 *   {"topicId":"…","partition":3,"offset":"17","appendTime":"…","key":"conv-8842","headers":{},"value":"{…}"}
 *   {"policy":"sha256:…","chunk":0,"chunks":1,"body":"{…}"}
 *
 * Bytes come back exactly: text where they are UTF-8, `{"base64":"…"}` where they are not or where that is shorter.
 */
const Bytes = z.union([z.string(), z.strictObject({ base64: z.base64() })]);
const Header = z.union([Bytes, z.array(Bytes)]);

export const RecordedLine = z
  .strictObject({
    topicId: z.string().min(1),
    partition: z.int().nonnegative(),
    offset: z.string().regex(/^\d{1,16}$/, 'digits'),
    appendTime: z.string().refine((text) => Number.isFinite(parseInstant(text)), 'an RFC 3339 instant'),
    key: Bytes.nullable(),
    headers: z.record(z.string(), Header),
    value: Bytes.nullable(),
  })
  .describe('One record of the log');

export const RecordedPolicy = z
  .strictObject({
    policy: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    chunk: z.int().nonnegative(),
    chunks: z.int().positive(),
    body: Bytes,
  })
  .describe('A part of the body of a policy');

export type Recorded =
  | { type: 'record'; topicId: string; partition: number; raw: RawRecord }
  | { type: 'policy'; hash: string; chunk: number; chunks: number; bytes: Buffer }
  | { type: 'unusable'; reason: string };

/** One line without its end. */
export function encodeRecordedLine(topicId: string, partition: number, raw: RawRecord): string {
  const headers = Object.fromEntries(
    Object.entries(raw.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.map(written) : written(value)]],
    ),
  );
  const line: z.infer<typeof RecordedLine> = {
    topicId,
    partition,
    offset: String(raw.offset),
    appendTime: formatInstant(raw.appendMs),
    key: raw.key === null ? null : written(raw.key),
    headers,
    value: raw.value === null ? null : written(raw.value),
  };
  return JSON.stringify(line);
}

/** The lines of a policy's body, from the chunks in which a library stores it. */
export function encodeRecordedPolicy(hash: string, chunks: readonly Uint8Array[]): string[] {
  return chunks.map((bytes, chunk) => {
    const line: z.infer<typeof RecordedPolicy> = { policy: hash, chunk, chunks: chunks.length, body: written(bytes) };
    return JSON.stringify(line);
  });
}

/** Whether this is a line of the log form at all, well made or not. */
export function isRecordedLine(line: Uint8Array): boolean {
  const json = parse(line);
  if (typeof json !== 'object' || json === null) return false;
  return ('topicId' in json && 'offset' in json) || ('policy' in json && 'chunk' in json);
}

export function decodeRecordedLine(line: Uint8Array): Recorded {
  const json = parse(line);
  if (json === undefined) return { type: 'unusable', reason: 'the line is not JSON' };
  if (typeof json === 'object' && json !== null && 'policy' in json) {
    const parsed = RecordedPolicy.safeParse(json);
    if (!parsed.success) return { type: 'unusable', reason: explainLine(parsed.error, json) };
    const { policy, chunk, chunks, body } = parsed.data;
    return { type: 'policy', hash: policy, chunk, chunks, bytes: read(body) };
  }
  const parsed = RecordedLine.safeParse(json);
  if (!parsed.success) return { type: 'unusable', reason: explainLine(parsed.error, json) };
  const { topicId, partition, offset, appendTime, key, headers, value } = parsed.data;
  const raw: RawRecord = {
    offset: Number(offset),
    appendMs: parseInstant(appendTime),
    key: key === null ? null : read(key),
    value: value === null ? null : read(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, one]) => [name, Array.isArray(one) ? one.map(read) : read(one)]),
    ),
  };
  return { type: 'record', topicId, partition, raw };
}

function written(value: Uint8Array | string): z.infer<typeof Bytes> {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
  const text = bytes.toString('utf8');
  const base64Length = Math.ceil(bytes.length / 3) * 4;
  // U+FFFD is what bytes that are no UTF-8 are read as; control characters take six letters each.
  const exact = Buffer.from(text, 'utf8').equals(bytes);
  return exact && JSON.stringify(text).length <= base64Length + 16 ? text : { base64: bytes.toString('base64') };
}

function read(value: z.infer<typeof Bytes>): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value.base64, 'base64');
}

function parse(line: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(line).toString('utf8'));
  } catch {
    return undefined; // and therefore the line is unusable; JSON itself has no undefined
  }
}

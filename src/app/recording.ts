import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Line, NdjsonReader } from '../adapters/files/ndjson-reader.ts';
import { bodyOf } from '../adapters/policy-body.ts';
import { formatDuration } from '../domain/duration.ts';
import type { ActionEvent } from '../domain/event.ts';
import { isActionEvent } from '../domain/event-check.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import type { LogRecord, RawRecord } from '../domain/record.ts';
import { decodeRecord } from '../formats/log-record.ts';
import { decodeRecordedLine, isRecordedLine } from '../formats/recorded-line.ts';

/** The largest message that any Kafka of ours takes is 2 MiB, which is less than this as base64. */
export const RECORDED_LINE_MAX = 4 * 1024 * 1024;

/** The file is no recording that could be replayed; the message says what to do. */
export class RecordingRefused extends Error {
  override readonly name = 'RecordingRefused';

  constructor(file: string, line: number | undefined, message: string) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
}

export type RecordingItem =
  /** A body that records may activate from here on. */
  | { type: 'policy'; hash: string; body: Uint8Array; line: number }
  | { type: 'record'; topicId: string; partition: number; line: number; record: LogRecord };

/** What a first reading of bare events tells. */
interface Survey {
  /** SHA-256 of the content: the same events have the same ids, compressed or not. */
  topicId: string;
  /** Number of the last line. */
  lines: number;
  /** Time of the first event. */
  startMs: number;
  /** Time of the latest event. */
  endMs: number;
}

/** What is replayed: a recording, or a partition of the topic itself. Where that is read, lines are offsets. */
export interface RecordedLog {
  readonly file: string;
  /** Of bare events only: a log of records knows itself. */
  readonly survey: Survey | undefined;
  items(): AsyncGenerator<RecordingItem>;
}

/** A file of either form, ready to be read as a log. `firebreak replay`, the demo and the tests read no other way. */
export class Recording implements RecordedLog {
  /** As the user named it. */
  readonly file: string;
  /** Of bare events only: a captured log knows itself. */
  readonly survey: Survey | undefined;
  readonly #reader: NdjsonReader;
  readonly #spool: string | undefined;

  constructor(file: string, reader: NdjsonReader, survey: Survey | undefined, spool: string | undefined) {
    this.file = file;
    this.survey = survey;
    this.#reader = reader;
    this.#spool = spool;
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  get bytesTotal(): number {
    return this.#reader.bytesTotal ?? 0;
  }

  items(): AsyncGenerator<RecordingItem> {
    return this.survey === undefined ? this.#logItems() : this.#actionItems(this.survey);
  }

  async close(): Promise<void> {
    if (this.#spool !== undefined) await rm(this.#spool, { recursive: true, force: true });
  }

  /** A damaged line ends the reading: a log with a hole would be judged as if the hole had not happened. */
  async *#logItems(): AsyncGenerator<RecordingItem> {
    const chunks: Buffer[] = [];
    for await (const line of eachLine(this.#reader)) {
      if (!('bytes' in line)) throw this.#refused(line.number, `the line has ${line.tooLong} bytes`);
      const recorded = decodeRecordedLine(line.bytes);
      switch (recorded.type) {
        case 'unusable':
          throw this.#refused(line.number, `${recorded.reason}. A captured log with a damaged line is not replayed`);
        case 'record': {
          const record = decodeRecord(recorded.raw, undefined);
          yield { type: 'record', topicId: recorded.topicId, partition: recorded.partition, line: line.number, record };
          break;
        }
        case 'policy':
          if (recorded.chunk === 0) chunks.length = 0;
          if (recorded.chunk !== chunks.length) throw this.#refused(line.number, `chunk ${chunks.length} is missing`);
          chunks.push(recorded.bytes);
          if (chunks.length === recorded.chunks) {
            const body = bodyOf({ hash: recorded.hash, chunks: recorded.chunks, engine: 1 }, chunks);
            yield { type: 'policy', hash: recorded.hash, body, line: line.number };
          }
          break;
        default:
          recorded satisfies never;
      }
    }
  }

  async *#actionItems({ topicId, lines, startMs }: Survey): AsyncGenerator<RecordingItem> {
    let clockMs = startMs;
    let last = 0;
    for await (const line of eachLine(this.#reader)) {
      last = line.number;
      const head = 'bytes' in line ? headOf(line.bytes) : undefined;
      if (head !== undefined) clockMs = Math.max(clockMs, head.timeMs);
      const record = actionRecord(line, clockMs, head?.event.session);
      yield { type: 'record', topicId, partition: 0, line: line.number, record };
    }
    if (last !== lines) throw this.#refused(last, `the file changed while it was read: it had ${lines} lines before`);
  }

  #refused(line: number, message: string): RecordingRefused {
    return new RecordingRefused(this.file, line, message);
  }
}

/**
 * Opens a file of either form, or standard input (`-`, kept in a temporary file until `close`). Bare events are read
 * once here. Throws a RecordingRefused where the file holds no recording, or one that goes back further than `delayMs`.
 */
export async function openRecording(file: string, delayMs: number): Promise<Recording> {
  const spool = file === '-' ? await spooled() : undefined;
  try {
    const reader = await NdjsonReader.open(spool?.path ?? file, RECORDED_LINE_MAX);
    const survey = await surveyed(reader, file, delayMs);
    return new Recording(file, reader, survey, spool?.folder);
  } catch (error) {
    if (spool !== undefined) await rm(spool.folder, { recursive: true, force: true });
    throw error;
  }
}

async function spooled(): Promise<{ folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-'));
  const path = join(folder, 'stdin');
  await pipeline(process.stdin, createWriteStream(path));
  return { folder, path };
}

async function surveyed(reader: NdjsonReader, file: string, delayMs: number): Promise<Survey | undefined> {
  const hash = createHash('sha256');
  let lines = 0;
  let startMs: number | undefined;
  let latestMs = Number.NEGATIVE_INFINITY;
  let first: { line: Line; reason: string } | undefined;
  for await (const line of eachLine(reader)) {
    if (lines === 0 && 'bytes' in line && isRecordedLine(line.bytes)) return undefined;
    lines = line.number;
    hash.update('bytes' in line ? line.bytes : `${line.tooLong} bytes`).update('\n');
    const head = 'bytes' in line ? headOf(line.bytes) : undefined;
    if (head === undefined) {
      first ??= { line, reason: reasonOf(line) };
      continue;
    }
    startMs ??= head.timeMs;
    if (latestMs - head.timeMs > delayMs) throw goesBack(file, line.number, head.timeMs, latestMs, delayMs);
    latestMs = Math.max(latestMs, head.timeMs);
  }
  if (lines === 0) throw new RecordingRefused(file, undefined, 'the file is empty');
  if (startMs === undefined) {
    throw new RecordingRefused(file, first!.line.number, `no line is an action event; the first: ${first!.reason}`);
  }
  return { topicId: hash.digest('hex'), lines, startMs, endMs: latestMs };
}

/** The event is late by more than a stream may be: windows that it belongs to are over. */
export function goesBack(
  file: string,
  line: number,
  timeMs: number,
  latestMs: number,
  delayMs: number,
): RecordingRefused {
  const message =
    `the event is of ${formatInstant(timeMs)}, after one of ${formatInstant(latestMs)}: further back than the ` +
    `${formatDuration(delayMs)} that events may be late. Sort the file by time first, for example: ` +
    `jq -sc 'sort_by(.time)[]' FILE > SORTED`;
  return new RecordingRefused(file, line, message);
}

export function outOfOrder(file: string, line: number, offset: number, next: number): RecordingRefused {
  const message = `offset ${offset} comes after ${next - 1}: the same records twice, or files out of order`;
  return new RecordingRefused(file, line, message);
}

export async function* eachLine(reader: NdjsonReader): AsyncGenerator<Line> {
  for await (const group of reader.lines()) yield* group;
}

/** A line that is an action event: bare, or the data of a structured CloudEvent. */
export interface Head {
  event: ActionEvent;
  structured: boolean;
  timeMs: number;
}

export function headOf(bytes: Uint8Array): Head | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined; // and therefore decodeRecord refuses the line
  }
  const structured = typeof json === 'object' && json !== null && 'specversion' in json && 'data' in json;
  const event = structured ? (json as { data: unknown }).data : json;
  return isActionEvent(event) ? { event, structured, timeMs: parseInstant(event.time) } : undefined;
}

/** The line as the record that a gateway would have written: keyed by its session, appended when it happened. */
function actionRecord(line: Line, appendMs: number, session: string | undefined): LogRecord {
  const raw: RawRecord = {
    offset: line.number - 1,
    appendMs,
    key: session === undefined ? null : Buffer.from(session, 'utf8'),
    value: 'bytes' in line ? line.bytes : null,
    headers: {},
  };
  if ('bytes' in line) return decodeRecord(raw, undefined);
  const reason = `line: found ${line.tooLong} bytes, allowed: at most ${RECORDED_LINE_MAX}`;
  return { offset: raw.offset, appendMs, body: { type: 'refused', refusal: 'too_large', reason, raw } };
}

/** Why a line is no action event. */
export function reasonOf(line: Line): string {
  const { body } = actionRecord(line, 0, undefined);
  return body.type === 'refused' ? body.reason : `a ${body.type} record`;
}

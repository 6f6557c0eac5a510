import { realpath } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Line, NdjsonReader } from '../../adapters/files/ndjson-reader.ts';
import { decodeRecordedLine, isRecordedLine } from '../../formats/recorded-line.ts';
import { eachLine, goesBack, headOf, outOfOrder, RECORDED_LINE_MAX, RecordingRefused, reasonOf } from '../recording.ts';
import type { EventSource, LogItem, ResumableSource, UndecodedItem } from './source.ts';

/** How far the files were read: up to a line of one of them, with a checksum of everything before. */
interface FilePosition {
  source: number;
  line: number;
  crc: number;
  captured: [key: string, log: { log: number; next: number }][];
}

/**
 * Files of bare events or of a captured log, plain or gzip, or standard input. They become the records that `Recording`
 * makes of them, but in one reading and undecoded: the one thread that reads must keep many busy.
 */
export class FileSource implements EventSource, ResumableSource {
  readonly names: readonly string[];
  readonly #readers: readonly NdjsonReader[];
  readonly #delayMs: number;
  /** Captured logs by topic and partition: they may run over several files. A file of bare events is the log of its place. */
  readonly #captured = new Map<string, { log: number; next: number }>();
  /** How far `undecoded` is. */
  #place = { source: 0, line: 0, crc: 0 };

  private constructor(readers: readonly NdjsonReader[], delayMs: number) {
    this.names = readers.map(({ path }) => path);
    this.#readers = readers;
    this.#delayMs = delayMs;
  }

  /** Throws where a file is missing or given twice. An event may be late by `delayMs` at most. */
  static async open(paths: readonly string[], delayMs: number): Promise<FileSource> {
    const readers: NdjsonReader[] = [];
    const seen = new Set<string>();
    for (const path of paths) {
      readers.push(await NdjsonReader.open(path, RECORDED_LINE_MAX));
      const real = path === '-' ? path : await realpath(path);
      if (seen.has(real)) throw new Error(`${path} is given twice; its events would count twice`);
      seen.add(real);
    }
    return new FileSource(readers, delayMs);
  }

  shareRead(): number | undefined {
    let read = 0;
    let total = 0;
    for (const { bytesRead, bytesTotal } of this.#readers) {
      if (bytesTotal === undefined) return undefined;
      read += bytesRead;
      total += bytesTotal;
    }
    return total === 0 ? 1 : read / total;
  }

  async *items(stop: AbortSignal): AsyncGenerator<LogItem> {
    if (this.names.includes('-')) stop.addEventListener('abort', () => process.stdin.destroy(stop.reason));
    for (const [source, reader] of this.#readers.entries()) {
      const lines = eachLine(reader);
      const { value: first } = await lines.next();
      if (first === undefined) throw new RecordingRefused(reader.path, undefined, 'the file is empty');
      const all = withFirst(first, lines);
      yield* isCaptured(first) ? this.#captures(source, all) : this.#bare(source, all);
    }
  }

  /** Bare events are a log of their own: keyed by session, appended when they happened, never back in time. */
  async *#bare(source: number, lines: AsyncGenerator<Line>): AsyncGenerator<LogItem> {
    const file = this.names[source]!;
    const log = source;
    let first: Line | undefined;
    let clockMs: number | undefined;
    let offset = 0;
    for await (const line of lines) {
      first ??= line;
      const place = { source, at: line.number };
      offset = line.number - 1;
      if (!('bytes' in line)) {
        yield { type: 'unusable', place, refusal: 'too_large', reason: reasonOf(line) };
        continue;
      }
      const head = headOf(line.bytes);
      if (head !== undefined) {
        if (clockMs !== undefined && clockMs - head.timeMs > this.#delayMs) {
          throw goesBack(file, line.number, head.timeMs, clockMs, this.#delayMs);
        }
        clockMs = Math.max(clockMs ?? 0, head.timeMs);
      }
      const key = head === undefined ? null : Buffer.from(head.event.session, 'utf8');
      // Before the first event no session can wait for the time, so what time it is makes no difference.
      const raw = { offset, appendMs: clockMs ?? 0, key, value: line.bytes, headers: {} };
      yield { type: 'record', log, place, raw };
    }
    if (clockMs === undefined) {
      const message = `no line is an action event; the first: ${reasonOf(first!)}`;
      throw new RecordingRefused(file, first!.number, message);
    }
    yield { type: 'end', log, offset: offset + 1 };
  }

  async *#captures(source: number, lines: AsyncGenerator<Line>): AsyncGenerator<LogItem> {
    for await (const line of lines) yield* this.#recorded(source, line);
  }

  /** The policies that a captured log brings are no matter here: the rules that are compared judge it. */
  #recorded(source: number, line: Line): [] | [LogItem] {
    const file = this.names[source]!;
    if (!('bytes' in line)) throw new RecordingRefused(file, line.number, `the line has ${line.tooLong} bytes`);
    const recorded = decodeRecordedLine(line.bytes);
    if (recorded.type === 'policy') return [];
    if (recorded.type === 'unusable') {
      const message = `${recorded.reason}. A captured log with a damaged line is not judged`;
      throw new RecordingRefused(file, line.number, message);
    }
    const { topicId, partition, raw } = recorded;
    const key = `${topicId}/${partition}`;
    let known = this.#captured.get(key);
    if (known === undefined) {
      known = { log: this.names.length + this.#captured.size, next: 0 };
      this.#captured.set(key, known);
    }
    if (raw.offset < known.next) throw outOfOrder(file, line.number, raw.offset, known.next);
    known.next = raw.offset + 1;
    return [{ type: 'record', log: known.log, place: { source, at: line.number }, raw }];
  }

  /** What is before `from` is read again, for its checksum, and not decoded. */
  async *undecoded(from: unknown): AsyncGenerator<UndecodedItem[]> {
    const begun = new Passed(from as FilePosition | undefined);
    for (const [key, log] of begun.captured) this.#captured.set(key, log);
    for (const [source, reader] of this.#readers.entries()) {
      let first: Line | undefined;
      let captured = false;
      for await (const group of reader.lines()) {
        if (first === undefined) {
          first = group[0]!;
          captured = isCaptured(first);
        }
        const items = group.flatMap((line) => {
          const crc = crc32('bytes' in line ? line.bytes : String(line.tooLong), this.#place.crc);
          this.#place = { source, line: line.number, crc };
          if (begun.covers(reader.path, this.#place)) return [];
          return captured ? this.#recorded(source, line) : [undecodedLine(source, line)];
        });
        if (items.length > 0) yield items;
      }
      if (first === undefined) throw new RecordingRefused(reader.path, undefined, 'the file is empty');
      begun.end(reader.path, source);
      const place = { source, at: this.#place.line };
      if (!captured) yield [{ type: 'last', log: source, place, first }];
    }
  }

  position(): FilePosition {
    return { ...this.#place, captured: [...this.#captured].map(([key, log]) => [key, { ...log }]) };
  }
}

/** What an earlier run has read of the files. */
class Passed {
  readonly #until: FilePosition | undefined;
  #isPassed: boolean;

  constructor(until: FilePosition | undefined) {
    this.#until = until;
    this.#isPassed = until === undefined;
  }

  get captured(): FilePosition['captured'] {
    return this.#until?.captured ?? [];
  }

  /** Throws where the lines up to there are not those that were read. */
  covers(file: string, { source, line, crc }: Omit<FilePosition, 'captured'>): boolean {
    if (this.#isPassed) return false;
    const until = this.#until!;
    if (source < until.source || line < until.line) return true;
    if (line !== until.line || crc !== until.crc) throw changed(file, until.line);
    this.#isPassed = true;
    return true;
  }

  end(file: string, source: number): void {
    if (!this.#isPassed && source === this.#until!.source) throw changed(file, this.#until!.line);
  }
}

function changed(file: string, line: number): RecordingRefused {
  return new RecordingRefused(file, line, 'what was read up to here is not what the interrupted run has read');
}

function isCaptured(first: Line): boolean {
  return 'bytes' in first && isRecordedLine(first.bytes);
}

function undecodedLine(source: number, line: Line): UndecodedItem {
  const place = { source, at: line.number };
  if ('bytes' in line) return { type: 'line', log: source, place, bytes: line.bytes };
  return { type: 'unusable', place, refusal: 'too_large', reason: reasonOf(line) };
}

async function* withFirst(first: Line, rest: AsyncGenerator<Line>): AsyncGenerator<Line> {
  yield first;
  yield* rest;
}

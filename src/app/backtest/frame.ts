import type { RawRecord } from '../../domain/record.ts';

/**
 * A stretch of a log on its way to one shard, in the order of the log. Records of sessions that are another shard's are
 * here without their bytes: to this one they are only the passing of time.
 *
 *   marks   │ log │ offset │ appendMs │ source │ at │ key bytes │ value bytes │   one row of numbers per record
 *   bytes   │ key value │ key value │ …                                           of own records only
 *
 * One buffer for all bytes, so that a thread gets it without a copy and without an object per record.
 */
export interface Frame {
  marks: Float64Array;
  bytes: Uint8Array;
  /** Headers of own records that have any, by row. */
  headers: Record<number, Record<string, string>>;
}

/** Where a record stands for the person who reads the report: `at` is a line of a file, or an offset of a partition. */
export interface Place {
  /** Index into the names of the sources. */
  source: number;
  at: number;
}

export interface FramedRecord {
  /** Which log, a number that the source gave it: offsets and the clock belong to one log. */
  log: number;
  offset: number;
  appendMs: number;
  place: Place;
  /** undefined: a record of a session that another shard judges. */
  own: Pick<RawRecord, 'key' | 'value' | 'headers'> | undefined;
}

const COLUMNS = 7;
const ABSENT = -1;
const FOREIGN = -2;

/** Collects records until the frame is worth a message. */
export class FrameWriter {
  #rows: number[] = [];
  #parts: Uint8Array[] = [];
  #byteLength = 0;
  #headers: Frame['headers'] = {};

  get rowCount(): number {
    return this.#rows.length / COLUMNS;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  add({ log, offset, appendMs, place, own }: FramedRecord): void {
    const { source, at } = place;
    if (own === undefined) {
      this.#rows.push(log, offset, appendMs, source, at, FOREIGN, FOREIGN);
      return;
    }
    const headers = textHeaders(own.headers);
    if (headers !== undefined) this.#headers[this.rowCount] = headers;
    this.#rows.push(log, offset, appendMs, source, at, this.#keep(own.key), this.#keep(own.value));
  }

  /** What was added since the last call. */
  take(): Frame {
    const bytes = new Uint8Array(this.#byteLength);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const frame = { marks: Float64Array.from(this.#rows), bytes, headers: this.#headers };
    this.#rows = [];
    this.#parts = [];
    this.#byteLength = 0;
    this.#headers = {};
    return frame;
  }

  #keep(part: Uint8Array | null): number {
    if (part === null) return ABSENT;
    this.#parts.push(part);
    this.#byteLength += part.length;
    return part.length;
  }
}

/** The records of a frame. Keys and values are views into its buffer. */
export function* recordsOf({ marks, bytes, headers }: Frame): Generator<FramedRecord> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  const next = (length: number): Buffer | null => {
    if (length === ABSENT) return null;
    from += length;
    return all.subarray(from - length, from);
  };
  for (let row = 0, at = 0; at < marks.length; row++, at += COLUMNS) {
    const keyLength = marks[at + 5]!;
    const own =
      keyLength === FOREIGN
        ? undefined
        : { key: next(keyLength), value: next(marks[at + 6]!), headers: headers[row] ?? {} };
    yield {
      log: marks[at]!,
      offset: marks[at + 1]!,
      appendMs: marks[at + 2]!,
      place: { source: marks[at + 3]!, at: marks[at + 4]! },
      own,
    };
  }
}

/** A decoder without a keyring reads the type only, as text; the last of several values is the one that counts. */
function textHeaders(headers: RawRecord['headers']): Record<string, string> | undefined {
  let texts: Record<string, string> | undefined;
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last === undefined) continue;
    texts ??= {};
    texts[name] = typeof last === 'string' ? last : Buffer.from(last).toString('utf8');
  }
  return texts;
}

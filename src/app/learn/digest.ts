/** How one session of a frame is named; the cohorts are those that its action itself belongs to. */
export interface Name {
  session: string;
  /** In the order of `cohortBy`; null where the action lacks a field. */
  cohortKeys: (string | null)[];
  agent: string;
  principal?: string | undefined;
}

/**
 * What learning needs of a stretch of a log, in its order:
 *
 *   rows    │ name │ time │ append │ log │ source │ at │ from │ length │   one row of numbers per record, times in ms
 *   bytes   │ names as JSON │ action │ action │ …                         of an action that something looks at
 *
 * In shared memory, so that every thread reads it without a copy.
 */
export interface Digest {
  rows: Float64Array;
  bytes: Uint8Array;
  /** How many of the bytes are the names. */
  namesLength: number;
}

export const COLUMNS = 8;
export const [NAME, TIME, APPEND, LOG, SOURCE, AT, FROM, LENGTH] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** In place of a name. */
export const NO_ACTION = -1;
/** The record says of a session that it was stopped or released; the bytes are a Verdict. */
export const NOTE = -2;
/** An action of a session that is not to be learned from. */
export const NOT_LEARNED = -3;

/** Collects rows and texts. */
export class DigestWriter {
  readonly #rows: number[] = [];
  readonly #names: Name[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  #length = 0;

  /** `key` tells names apart. */
  name(key: string, describe: () => Name): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#names.push(describe()) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  row(name: number, timeMs: number, appendMs: number, log: number, source: number, at: number, text: string): void {
    const length = text === '' ? 0 : Buffer.byteLength(text);
    this.#rows.push(name, timeMs, appendMs, log, source, at, this.#length, length);
    if (length > 0) this.#texts.push(text);
    this.#length += length;
  }

  done(): Digest {
    const names = Buffer.from(JSON.stringify(this.#names));
    const bytes = new Uint8Array(new SharedArrayBuffer(names.length + this.#length));
    bytes.set(names);
    Buffer.from(bytes.buffer).write(this.#texts.join(''), names.length);
    const rows = new Float64Array(new SharedArrayBuffer(this.#rows.length * Float64Array.BYTES_PER_ELEMENT));
    rows.set(this.#rows);
    for (let at = 0; at < rows.length; at += COLUMNS) rows[at + FROM]! += names.length;
    return { rows, bytes, namesLength: names.length };
  }
}

export function namesOf({ bytes, namesLength }: Digest): Name[] {
  return JSON.parse(textOf(bytes, 0, namesLength));
}

export function textOf({ buffer, byteOffset }: Uint8Array, from: number, length: number): string {
  return Buffer.from(buffer, byteOffset + from, length).toString('utf8');
}

import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Longest line that is held, in bytes. A longer one is skipped and reported: it may be a file of another kind. */
export const LINE_BYTES_MAX = 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const GZIP = [0x1f, 0x8b];

export type Line =
  | { number: number; bytes: Buffer }
  | { number: number; tooLong: number /** bytes that the line has */ };

/** A file of lines, plain or gzip, found by its first bytes and not by its name; `-` is standard input. */
export class NdjsonReader {
  readonly path: string;
  /** Size of the file as it lies there; undefined where nobody knows it: standard input, a pipe. */
  readonly bytesTotal: number | undefined;
  /** Bytes of the file that were read so far, before any decompression. */
  bytesRead = 0;
  readonly #lineBytesMax: number;

  private constructor(path: string, bytesTotal: number | undefined, lineBytesMax: number) {
    this.path = path;
    this.bytesTotal = bytesTotal;
    this.#lineBytesMax = lineBytesMax;
  }

  /** Throws where there is no such file. */
  static async open(path: string, lineBytesMax = LINE_BYTES_MAX): Promise<NdjsonReader> {
    if (path === '-') return new NdjsonReader(path, undefined, lineBytesMax);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new Error(error.code === 'ENOENT' ? `${path}: no such file` : `${path} cannot be read: ${error.message}`);
    });
    if (found.isDirectory()) throw new Error(`${path} is a folder; a file of lines is wanted`);
    return new NdjsonReader(path, found.isFile() ? found.size : undefined, lineBytesMax);
  }

  /** The lines in groups as they come, without line ends; empty lines are counted and left out. */
  async *lines(): AsyncGenerator<Line[]> {
    const splitter = new LineSplitter(this.#lineBytesMax);
    for await (const chunk of this.#bytes()) {
      const lines = splitter.push(chunk);
      if (lines.length > 0) yield lines;
    }
    const last = splitter.end();
    if (last.length > 0) yield last;
  }

  /** The content, decompressed. Ends with an error where the file does: cut gzip, a read error. */
  async *#bytes(): AsyncGenerator<Buffer> {
    const chunks = this.#counted();
    try {
      let head: Buffer = Buffer.alloc(0);
      while (head.length < GZIP.length) {
        const { value, done } = await chunks.next();
        if (done === true) break;
        head = Buffer.concat([head, value]);
      }
      const content = resumed(head, chunks);
      if (GZIP.every((byte, at) => head[at] === byte)) yield* decompressed(content);
      else yield* content;
    } finally {
      await chunks.return(undefined); // a reader that has seen enough after the first lines leaves the file open else
    }
  }

  async *#counted(): AsyncGenerator<Buffer> {
    this.bytesRead = 0;
    const source: Readable = this.path === '-' ? process.stdin : (await open(this.path)).createReadStream();
    for await (const chunk of source) {
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }
}

async function* decompressed(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const piped = pipeline(content, gunzip).catch((error: Error) => {
    gunzip.destroy(error); // and therefore the loop below throws it
  });
  yield* gunzip;
  await piped;
}

async function* resumed(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

/** Cuts bytes into lines. What a line holds beyond the bound is counted, not kept. */
class LineSplitter {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #length = 0;
  #number = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, at));
      this.#take(lines);
      from = at + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
    return lines;
  }

  end(): Line[] {
    const lines: Line[] = [];
    if (this.#length > 0) this.#take(lines);
    return lines;
  }

  #add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length <= this.#bytesMax) this.#parts.push(part);
    else this.#parts = [];
  }

  #take(lines: Line[]): void {
    const number = ++this.#number;
    const length = this.#length;
    const parts = this.#parts;
    this.#parts = [];
    this.#length = 0;
    if (length > this.#bytesMax) {
      lines.push({ number, tooLong: length });
      return;
    }
    const joined = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const bytes = joined.at(-1) === RETURN ? joined.subarray(0, -1) : joined;
    if (bytes.length > 0) lines.push({ number, bytes });
  }
}

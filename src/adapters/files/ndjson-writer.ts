import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Writable } from 'node:stream';
import { createGzip } from 'node:zlib';

/**
 * Lines into a file (gzip where its name ends in `.gz`) or, with `-`, to standard output. A reader that goes away (`| head`) ends the output quietly:
 * `closed` is then true, and what is written after it is nobody's.
 */
export class NdjsonWriter {
  readonly path: string;
  readonly #stream: Writable;
  /** Where the bytes go in the end; undefined for standard output, which is not ours to end. */
  readonly #file: Writable | undefined;
  #failure: Error | undefined;
  #wake: () => void = () => {};
  closed = false;

  private constructor(path: string, stream: Writable, file: Writable | undefined) {
    this.path = path;
    this.#stream = stream;
    this.#file = file;
    stream.on('drain', () => this.#wake());
    stream.on('close', () => this.#wake());
    // It stays: a late EPIPE of standard output has no other listener and would end the process with a stack.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#ended(error));
  }

  /** Throws where the file cannot be written. An existing file is replaced. */
  static async open(path: string): Promise<NdjsonWriter> {
    if (path === '-') return new NdjsonWriter(path, process.stdout, undefined);
    const file = createWriteStream(path, { fd: await open(path, 'w') });
    if (!path.endsWith('.gz')) return new NdjsonWriter(path, file, file);
    const gzip = createGzip();
    // A failure of the file destroys the compressor, whose error is reported as any other.
    pipeline(gzip, file, (error) => {
      if (error) gzip.destroy(error);
    });
    return new NdjsonWriter(path, gzip, file);
  }

  /** One line. Fulfilled when the stream takes more, so a slow reader slows its writer down. */
  async write(line: string): Promise<void> {
    this.#throwFailure();
    if (this.closed || this.#stream.write(`${line}\n`)) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#throwFailure();
  }

  /** Everything is written, or the reader is gone. */
  async close(): Promise<void> {
    if (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        const done = (error?: NodeJS.ErrnoException | null) => {
          if (error) this.#ended(error);
          resolve();
        };
        if (this.#file === undefined) this.#stream.write('', done);
        else {
          this.#file.once('finish', done);
          this.#stream.end();
        }
      });
    }
    this.#throwFailure();
  }

  #ended(error: NodeJS.ErrnoException): void {
    this.closed = true;
    if (error.code !== 'EPIPE') this.#failure = error;
    this.#wake();
  }

  #throwFailure(): void {
    if (this.#failure) throw new Error(`${this.path} cannot be written: ${this.#failure.message}`);
  }
}

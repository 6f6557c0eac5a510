import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * Lines into a file or, with `-`, to standard output. A reader that goes away (`| head`) ends the output quietly:
 * `closed` is then true, and what is written after it is nobody's.
 */
export class NdjsonWriter {
  readonly path: string;
  readonly #stream: Writable;
  readonly #owned: boolean;
  #failure: Error | undefined;
  #wake: () => void = () => {};
  closed = false;

  private constructor(path: string, stream: Writable, owned: 'owned' | 'shared') {
    this.path = path;
    this.#stream = stream;
    this.#owned = owned === 'owned';
    stream.on('drain', () => this.#wake());
    stream.on('close', () => this.#wake());
    // It stays: a late EPIPE of standard output has no other listener and would end the process with a stack.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#ended(error));
  }

  /** Throws where the file cannot be written. An existing file is replaced. */
  static async open(path: string): Promise<NdjsonWriter> {
    if (path === '-') return new NdjsonWriter(path, process.stdout, 'shared');
    const file = await open(path, 'w');
    return new NdjsonWriter(path, createWriteStream(path, { fd: file }), 'owned');
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
        if (this.#owned) this.#stream.end(done);
        else this.#stream.write('', done);
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

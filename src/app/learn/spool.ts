import { type FileHandle, mkdir, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { canonicalJson } from '../../domain/canonical-json.ts';

const SPOOL_FILE = 'read.spool';
const HEAD_BYTES = 12;
/** So many blocks may be lost with the power; what only the process loses is none. */
const FLUSH_BLOCKS = 16;
const IDENTITY_BYTES_MAX = 64 * 1024;

/** What decides what is read and what is kept of it, each by a name for people. */
export type SpoolIdentity = Record<string, unknown>;

/** The folder holds what another run read. */
export class SpoolRefused extends Error {
  override readonly name = 'SpoolRefused';
}

/**
 * What a run that learns has read so far, for the run after it is killed. Only ever appended to:
 *
 *   identity as JSON, a line
 *   position length │ content length │ crc32 │ position as JSON │ content      one block
 *
 * The checksum goes on from block to block, so a block stands only behind those that it was written behind. What is behind
 * the last whole one is cut off: a block that was being written, or damage.
 */
export class Spool {
  /** Where the source stood after the last block; undefined before the first. */
  readonly position: unknown;
  /** Bytes behind the last whole block that could not be used. */
  readonly damaged: number;
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #found: readonly Block[];
  #crc: number;
  #unflushed = 0;
  #isEmpty: boolean;

  private constructor(folder: string, file: FileHandle, { blocks, crc, damaged }: Found) {
    this.#folder = folder;
    this.#file = file;
    this.#found = blocks;
    this.#crc = crc;
    this.damaged = damaged;
    this.position = blocks.at(-1)?.position;
    this.#isEmpty = blocks.length === 0;
  }

  /** Makes the folder where there is none. Throws SpoolRefused where it holds the reading of another input or policy. */
  static async open(folder: string, identity: SpoolIdentity): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(join(folder, SPOOL_FILE), 'a+', 0o600);
    try {
      const line = Buffer.from(`${canonicalJson(identity)}\n`);
      const { size } = await file.stat();
      const found = await survey(file, size, line, folder);
      if (found.damaged > 0) await file.truncate(size - found.damaged);
      if (found.damaged === size) await file.appendFile(line);
      await file.sync();
      return new Spool(folder, file, found);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The contents of the blocks that an earlier run wrote. */
  async *blocks(): AsyncGenerator<Uint8Array> {
    for (const { from, length } of this.#found) yield await readAt(this.#file, from, length);
  }

  async append(content: Uint8Array, position: unknown): Promise<void> {
    const place = Buffer.from(JSON.stringify(position));
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(place.length, 0);
    head.writeUInt32LE(content.length, 4);
    this.#crc = crc32(content, crc32(place, this.#crc));
    head.writeUInt32LE(this.#crc, 8);
    await this.#file.appendFile(Buffer.concat([head, place, content]));
    this.#isEmpty = false;
    if (++this.#unflushed >= FLUSH_BLOCKS) await this.flush();
  }

  async flush(): Promise<void> {
    this.#unflushed = 0;
    await this.#file.datasync();
  }

  /** A spool in which nothing is kept leaves nothing behind. */
  async close(): Promise<void> {
    await this.#file.close();
    if (this.#isEmpty) await this.remove();
  }

  /** After what was read is learned from. A folder with other files in it stays. */
  async remove(): Promise<void> {
    this.#isEmpty = false;
    await rm(join(this.#folder, SPOOL_FILE));
    await rmdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
}

interface Block {
  position: unknown;
  /** Of the content in the file. */
  from: number;
  length: number;
}

interface Found {
  blocks: Block[];
  crc: number;
  damaged: number;
}

async function survey(file: FileHandle, size: number, line: Buffer, folder: string): Promise<Found> {
  const start = await readAt(file, 0, Math.min(size, IDENTITY_BYTES_MAX));
  const lineEnd = start.indexOf('\n');
  const blocks: Block[] = [];
  let crc = crc32(line);
  if (lineEnd < 0) return { blocks, crc, damaged: size }; // killed before it had begun
  if (!start.subarray(0, lineEnd + 1).equals(line)) {
    const parts = partsOf(start.toString('utf8', 0, lineEnd));
    if (parts !== undefined && size === lineEnd + 1) return { blocks, crc, damaged: size }; // nothing was read yet
    throw refused(folder, parts, partsOf(line.toString('utf8'))!);
  }
  let at = line.length;
  while (at + HEAD_BYTES <= size) {
    const head = await readAt(file, at, HEAD_BYTES);
    const [placeLength, length, expected] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
    const end = at + HEAD_BYTES + placeLength + length;
    if (end > size) break;
    const body = await readAt(file, at + HEAD_BYTES, placeLength + length);
    const next = crc32(body, crc);
    if (next !== expected) break;
    crc = next;
    blocks.push({ position: JSON.parse(body.toString('utf8', 0, placeLength)), from: end - length, length });
    at = end;
  }
  return { blocks, crc, damaged: size - at };
}

type Parts = ReadonlyMap<string, string>;

function refused(folder: string, before: Parts | undefined, now: Parts): SpoolRefused {
  if (before === undefined) return new SpoolRefused(`${join(folder, SPOOL_FILE)} was not written by firebreak learn`);
  const names = [...new Set([...before.keys(), ...now.keys()])];
  const other = names.filter((name) => before.get(name) !== now.get(name)).sort();
  return new SpoolRefused(
    `${folder} holds what an interrupted run has read, and that had another ${other.join(' and another ')}: the two are ` +
      'not mixed. Start that run again as it was, or remove the folder to begin anew',
  );
}

/** Undefined where the line is no identity. */
function partsOf(line: string): Parts | undefined {
  try {
    const identity = JSON.parse(line) as SpoolIdentity;
    return new Map(Object.entries(identity).map(([name, part]) => [name, canonicalJson(part)]));
  } catch {
    return undefined; // and therefore the file is refused
  }
}

async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read);
    if (bytesRead === 0) throw new Error('the spool became shorter while it was read');
    read += bytesRead;
  }
  return bytes;
}

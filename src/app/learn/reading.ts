import { type Frame, FrameWriter } from '../backtest/frame.ts';
import type { ResumableSource, UndecodedItem } from '../backtest/source.ts';
import { RecordingRefused, reasonOf } from '../recording.ts';
import type { Remote } from '../threads.ts';
import { CutSessions } from './cut-sessions.ts';
import { type Digest, FROM, LENGTH, textOf } from './digest.ts';
import { UNKNOWN_MS } from './digester.ts';
import { LogClocks } from './log-clocks.ts';
import { type ReadingRoom, unpack } from './reading-room.ts';
import type { Spool } from './spool.ts';

/** A frame is sent when it has so much. Large ones, because the names of sessions are told in each anew. */
const FRAME_BYTES = 1024 * 1024;
const FRAME_ROWS = 16_384;
/** Frames that are being digested, for each room: it bounds the memory. */
const IN_HAND = 2;

interface Sent {
  digested: Promise<{ digest: Digest; packed: Uint8Array | undefined }>;
  /** Where the source stood after the frame. */
  position: unknown;
}

/**
 * Reads a log into reading rooms: lines and records go to them as they are, one frame to one room after the other; the
 * digests come back in order and go to all rooms, each of which keeps what is its own. With a spool each digest is
 * written down before it is used.
 */
export class Reading {
  readonly cut = new CutSessions();
  /** Actions so far. */
  actions = 0;
  /** And how many of them an earlier run had read. */
  resumed = 0;
  readonly #source: ResumableSource;
  readonly #rooms: readonly Remote<ReadingRoom>[];
  readonly #spool: Spool | undefined;
  readonly #clocks: LogClocks;
  #writer = new FrameWriter();
  #sent: Sent[] = [];
  #frames = 0;
  #taking: Promise<unknown>[] = [];

  constructor(
    source: ResumableSource,
    rooms: readonly Remote<ReadingRoom>[],
    { spool, delayMs }: { spool: Spool | undefined; delayMs: number },
  ) {
    this.#source = source;
    this.#rooms = rooms;
    this.#spool = spool;
    this.#clocks = new LogClocks(source.names, delayMs);
  }

  /** Until the end of the source. */
  async read(onProgress: () => void): Promise<void> {
    for await (const packed of this.#spool?.blocks() ?? []) {
      await this.#use(unpack(packed));
      onProgress();
    }
    this.resumed = this.actions;
    for await (const items of this.#source.undecoded(this.#spool?.position)) {
      for (const item of items) await this.#item(item);
      if (this.#writer.byteLength >= FRAME_BYTES || this.#writer.rowCount >= FRAME_ROWS) await this.#send();
      onProgress();
    }
    await this.#drain();
    await Promise.all(this.#taking);
    await this.#spool?.flush();
  }

  async #item(item: UndecodedItem): Promise<void> {
    switch (item.type) {
      case 'record': {
        const { log, place, raw } = item;
        this.#writer.add({ log, offset: raw.offset, appendMs: raw.appendMs, place, own: raw });
        return;
      }
      case 'line': {
        const { log, place, bytes } = item;
        const own = { key: null, value: bytes, headers: {} };
        this.#writer.add({ log, offset: place.at - 1, appendMs: UNKNOWN_MS, place, own });
        return;
      }
      case 'last': {
        await this.#drain();
        if (this.#clocks.has(item.log)) return;
        const file = this.#source.names[item.place.source]!;
        const message = `no line is an action event; the first: ${reasonOf(item.first)}`;
        throw new RecordingRefused(file, item.first.number, message);
      }
      case 'end':
      case 'unusable':
        return;
      default:
        item satisfies never;
    }
  }

  async #send(): Promise<void> {
    const room = this.#rooms[this.#frames++ % this.#rooms.length]!;
    const digested = this.#digest(room, this.#writer.take());
    digested.catch(() => {}); // and therefore whoever awaits it below throws it
    this.#sent.push({ digested, position: this.#source.position() });
    if (this.#sent.length >= IN_HAND * this.#rooms.length) await this.#receive();
  }

  async #digest(room: Remote<ReadingRoom>, frame: Frame): Promise<Awaited<Sent['digested']>> {
    if (this.#spool !== undefined) return room.digestAndPack(frame);
    return { digest: await room.digest(frame), packed: undefined };
  }

  async #drain(): Promise<void> {
    if (this.#writer.rowCount > 0) await this.#send();
    while (this.#sent.length > 0) await this.#receive();
  }

  async #receive(): Promise<void> {
    const { digested, position } = this.#sent.shift()!;
    const { digest, packed } = await digested;
    if (packed !== undefined) await this.#spool!.append(packed, position);
    await this.#use(digest);
  }

  async #use(digest: Digest): Promise<void> {
    const { actions, notes } = this.#clocks.settle(digest);
    this.actions += actions;
    const { rows, bytes } = digest;
    for (const at of notes) this.cut.note(JSON.parse(textOf(bytes, rows[at + FROM]!, rows[at + LENGTH]!)));
    const taken = Promise.all(this.#rooms.map((room) => room.take(digest)));
    taken.catch(() => {}); // and therefore whoever awaits it below throws it
    this.#taking.push(taken);
    if (this.#taking.length > IN_HAND) await this.#taking.shift();
  }
}

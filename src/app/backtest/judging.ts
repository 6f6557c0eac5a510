import { crc32 } from 'node:zlib';
import { type FramedRecord, FrameWriter, type Place } from './frame.ts';
import { inOrder, type JudgedSession } from './outcome.ts';
import type { RemoteShard } from './shard.ts';
import { type BySide, sidesOf } from './sides.ts';
import type { EventSource, LogItem } from './source.ts';
import { addRefused, addTotals, type Refused, refuse, type Totals } from './totals.ts';

/** A frame is sent when it has so much; a shard has so many in hand at most, which bounds the memory. */
const FRAME_BYTES = 256 * 1024;
const FRAME_ROWS = 4096;
const IN_HAND_MAX = 4;

export interface ReadSoFar {
  /** Records that were read. */
  records: number;
  /** Append time of the last one. */
  atMs: number;
  /** Where it stands. */
  place: Place;
}

/** Spreads a source over shards by session, and adds up what they say. The number of shards changes nothing but time. */
export class Judging {
  readonly #lanes: Lane[];
  readonly #unusable: Refused = { refused: new Map(), told: [] };
  /** Log → when its last record was appended. */
  readonly #appendedMs = new Map<number, number>();
  readonly soFar: ReadSoFar = { records: 0, atMs: 0, place: { source: 0, at: 0 } };

  constructor(shards: readonly RemoteShard[]) {
    this.#lanes = shards.map((shard) => new Lane(shard));
  }

  /** Reads until the end of the source, or until the signal says that what was read must do. Answers whether all was read. */
  async read(source: EventSource, stop: AbortSignal, onProgress: (soFar: ReadSoFar) => void): Promise<boolean> {
    try {
      for await (const item of source.items(stop)) {
        if (stop.aborted) break;
        await this.#take(item);
        onProgress(this.soFar);
      }
    } catch (error) {
      // A source that waits for more, such as standard input, ends with the signal's own error.
      if (!stop.aborted || error !== stop.reason) throw error;
    }
    for (const lane of this.#lanes) await lane.drained();
    return !stop.aborted;
  }

  async totals(): Promise<Totals> {
    const [first, ...others] = await Promise.all(this.#lanes.map(({ shard }) => shard.totals()));
    for (const other of others) addTotals(first!, other);
    addRefused(first!, this.#unusable);
    return first!;
  }

  /** All sessions in the order of their first events, a few at a time from each shard. */
  async *sessions(): AsyncGenerator<JudgedSession> {
    const readers = this.#lanes.map(({ shard }) => sessionsOf(shard));
    const heads = await Promise.all(readers.map((reader) => reader.next()));
    for (;;) {
      let least = -1;
      for (const [index, { value }] of heads.entries()) {
        const before = heads[least]?.value;
        if (value !== undefined && (before === undefined || inOrder(value, before) < 0)) least = index;
      }
      const session = heads[least]?.value;
      if (session === undefined) return;
      yield session;
      heads[least] = await readers[least]!.next();
    }
  }

  async #take(item: LogItem): Promise<void> {
    switch (item.type) {
      case 'record':
        return this.#record(item);
      case 'unusable':
        return refuse(this.#unusable, item);
      case 'end':
        return this.#end(item);
      default:
        item satisfies never;
    }
  }

  async #record({ log, place, raw }: Extract<LogItem, { type: 'record' }>): Promise<void> {
    const { offset, appendMs, key } = raw;
    const owner = key === null ? 0 : crc32(key) % this.#lanes.length;
    // Those whom the record does not concern have to know where the clock stands, also when it fell back.
    const clockMoves = this.#appendedMs.get(log) !== appendMs;
    if (clockMoves) this.#appendedMs.set(log, appendMs);
    for (const [index, lane] of this.#lanes.entries()) {
      if (index === owner) lane.add({ log, offset, appendMs, place, own: raw });
      else if (clockMoves) lane.add({ log, offset, appendMs, place, own: undefined });
      if (lane.isFull) await lane.send();
    }
    this.soFar.records++;
    this.soFar.atMs = appendMs;
    this.soFar.place = place;
  }

  /** As `replay` ends a file of bare events: until nothing is pending, or its timers no longer move. */
  async #end({ log, offset }: Extract<LogItem, { type: 'end' }>): Promise<void> {
    for (const lane of this.#lanes) await lane.drained();
    const shards = this.#lanes.map(({ shard }) => shard);
    for (let next = offset; ; next++) {
      const pending = await Promise.all(shards.map((shard) => shard.pendingUntilMs(log)));
      const untilMs = pending.reduce(latest);
      if (sidesOf(untilMs).every((side) => untilMs[side]! === 0)) break;
      const tick = { offset: next, place: this.soFar.place, untilMs };
      await Promise.all(shards.map((shard) => shard.runOn(log, tick)));
    }
    await Promise.all(shards.map((shard) => shard.end(log)));
  }
}

/** One shard, the frame that is being filled for it, and those that it has in hand. */
class Lane {
  readonly shard: RemoteShard;
  readonly #writer = new FrameWriter();
  #inHand: Promise<void>[] = [];

  constructor(shard: RemoteShard) {
    this.shard = shard;
  }

  get isFull(): boolean {
    return this.#writer.byteLength >= FRAME_BYTES || this.#writer.rowCount >= FRAME_ROWS;
  }

  add(record: FramedRecord): void {
    this.#writer.add(record);
  }

  /** Fulfilled when the shard has room for more. Throws what an earlier frame failed with. */
  async send(): Promise<void> {
    const sent = this.shard.judge(this.#writer.take());
    sent.catch(() => {}); // and therefore whoever awaits it below throws it
    this.#inHand.push(sent);
    if (this.#inHand.length >= IN_HAND_MAX) await this.#inHand.shift();
  }

  /** Fulfilled when all that was added is judged. */
  async drained(): Promise<void> {
    if (this.#writer.rowCount > 0) await this.send();
    await Promise.all(this.#inHand);
    this.#inHand = [];
  }
}

function latest(a: BySide<number>, b: BySide<number>): BySide<number> {
  const made: BySide<number> = { new: Math.max(a.new, b.new) };
  if (a.old !== undefined && b.old !== undefined) made.old = Math.max(a.old, b.old);
  return made;
}

async function* sessionsOf(shard: RemoteShard): AsyncGenerator<JudgedSession, undefined> {
  for (let taken = await shard.takeSessions(); taken.length > 0; taken = await shard.takeSessions()) yield* taken;
}

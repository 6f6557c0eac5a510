import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ActionEvent } from '../../domain/event.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { PolicyBody } from '../../domain/rule.ts';
import type { Frame } from '../backtest/frame.ts';
import { Classroom, shardOf } from './classroom.ts';
import { APPEND, COLUMNS, type Digest, FROM, LENGTH, NAME, type Name, namesOf, TIME, textOf } from './digest.ts';
import { Digester } from './digester.ts';
import type { Lesson } from './lesson.ts';
import { Lives } from './lessons.ts';
import { subjectOf } from './subject.ts';

export interface RoomData {
  body: PolicyBody;
  /** This room is one of so many; shard n is learned in room n modulo their number. */
  room: number;
  rooms: number;
  /** undefined: all sessions are learned from. */
  benign: readonly string[] | undefined;
}

/** A thread's share of learning: it digests whatever it is given, and keeps what the digests say of its own shards. */
export class ReadingRoom extends Classroom {
  readonly #data: RoomData;
  readonly #digester: Digester;
  readonly #lives: Lives<KeptLesson>;
  /** Bytes of the digests, which the lessons point into. */
  readonly #blocks: Uint8Array[] = [];

  constructor(data: RoomData) {
    super(subjectOf(data.body));
    this.#data = data;
    this.#lives = new Lives(data.body.settings);
    const benign = data.benign && new Set(data.benign);
    this.#digester = new Digester(this.subject, (session) => benign?.has(session) ?? true);
  }

  digest(frame: Frame): Digest {
    return this.#digester.digest(frame);
  }

  /** The same, and as it is kept on disk. */
  digestAndPack(frame: Frame): { digest: Digest; packed: Uint8Array } {
    const digest = this.#digester.digest(frame);
    return { digest, packed: pack(digest) };
  }

  /** All rows have a time of the log. */
  take(digest: Digest): void {
    const { rows, bytes } = digest;
    const names = namesOf(digest);
    const own = names.map(({ session }) => shardOf(session) % this.#data.rooms === this.#data.room);
    const block = this.#blocks.push(bytes) - 1;
    for (let at = 0; at < rows.length; at += COLUMNS) {
      const name = rows[at + NAME]!;
      if (name < 0 || !own[name]) continue;
      const lesson = this.#lives.at(names[name]!.session, rows[at + APPEND]!, () => this.#begin(names[name]!));
      const length = rows[at + LENGTH]!;
      if (length > 0) lesson.keep(block, rows[at + FROM]!, length);
      lesson.times.push(rows[at + TIME]!);
    }
  }

  #begin(name: Name): KeptLesson {
    const lesson = new KeptLesson(name, this.#blocks);
    this.add(lesson);
    return lesson;
  }
}

/** A lesson whose actions stay text until somebody looks: they are decoded anew each time. */
class KeptLesson implements Lesson {
  readonly session: string;
  readonly unit: string;
  readonly cohortKeys: (string | undefined)[];
  readonly agent: string;
  readonly principal: string | undefined;
  readonly times: number[] = [];
  readonly #blocks: readonly Uint8Array[];
  /** Place in `times`, block, first byte, length: four numbers for each action. */
  readonly #kept: number[] = [];

  constructor({ session, cohortKeys, agent, principal }: Name, blocks: readonly Uint8Array[]) {
    this.session = session;
    this.unit = session;
    this.cohortKeys = cohortKeys.map((key) => key ?? undefined);
    this.agent = agent;
    this.principal = principal;
    this.#blocks = blocks;
  }

  /** The action that the next time belongs to. */
  keep(block: number, from: number, length: number): void {
    this.#kept.push(this.times.length, block, from, length);
  }

  get actions(): ReadonlyMap<number, ActionEvent> {
    const actions = new Map<number, ActionEvent>();
    const kept = this.#kept;
    for (let at = 0; at < kept.length; at += 4) {
      const place = kept[at]!;
      const text = textOf(this.#blocks[kept[at + 1]!]!, kept[at + 2]!, kept[at + 3]!);
      actions.set(place, this.#whole(JSON.parse(text), this.times[place]!));
    }
    return actions;
  }

  /** With what is kept once for all its actions. Only rules with windows ask for the text of the time. */
  #whole(kept: Partial<ActionEvent>, atMs: number): ActionEvent {
    const { session } = this;
    const agent = { id: this.agent, ...kept.agent };
    return {
      id: '',
      ...kept,
      session,
      agent,
      get time() {
        return formatInstant(atMs);
      },
    } as ActionEvent;
  }
}

/** One buffer: the numbers of rows and of names, rows, bytes. */
function pack({ rows, bytes, namesLength }: Digest): Uint8Array {
  const head = new Uint32Array([rows.length, namesLength]);
  const parts = [head, rows, bytes].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return deflateRawSync(Buffer.concat(parts), { level: 1 });
}

export function unpack(packed: Uint8Array): Digest {
  const all = inflateRawSync(packed);
  const [length, namesLength] = [all.readUInt32LE(0), all.readUInt32LE(4)];
  const rowBytes = length * Float64Array.BYTES_PER_ELEMENT;
  const rows = new Float64Array(new SharedArrayBuffer(rowBytes));
  new Uint8Array(rows.buffer).set(all.subarray(8, 8 + rowBytes));
  const bytes = new Uint8Array(new SharedArrayBuffer(all.length - 8 - rowBytes));
  bytes.set(all.subarray(8 + rowBytes));
  return { rows, bytes, namesLength };
}

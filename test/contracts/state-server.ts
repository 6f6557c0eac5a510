import type { Chunk, StateStore, Tenure } from '../../src/ports.ts';

export const HEADER_BYTES = 4;

/** What is behind the stores of one kind, and what can happen to it. */
export interface StateServer {
  /** Another store on the same state, as another process has it. */
  open(): Promise<StateStore>;
  /** The next calls of any store meet these, one each: see `Fault` of the memory state. */
  failNext(...faults: ('refused' | 'reply_lost' | 'late' | 'twice')[]): void;
  /** What is still on its way arrives. */
  deliver(): Promise<void>;
  /** Remembers what is held now; the answer brings it back, as a failover does that loses the writes since. */
  mark(partition: number): Promise<() => Promise<void>>;
  flush(): Promise<void>;
  /** A foreign hand. */
  remove(partition: number, session: string): Promise<void>;
  put(partition: number, session: string, bytes: Uint8Array): Promise<void>;
  setNext(partition: number, next: number): Promise<void>;
  stop(): Promise<void>;
}

type Sessions = Record<string, Uint8Array | null>;

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export function chunk(sessions: Sessions): Chunk {
  return { sessions: new Map(Object.entries(sessions)) };
}

export function lastChunk(sessions: Sessions, next: number, count: number): Chunk {
  return { ...chunk(sessions), checkpoint: { next, partition: bytes(`state at ${next}`), sessions: count } };
}

/** All that a tenure can see, as plain data. */
export async function contents(tenure: Tenure) {
  const names = [...tenure.headers.keys()].sort();
  const loaded = await tenure.load(names);
  return {
    next: tenure.checkpoint?.next,
    partition: tenure.checkpoint && text(tenure.checkpoint.partition),
    sessions: Object.fromEntries(names.map((name, i) => [name, text(loaded[i])])),
    headers: Object.fromEntries(names.map((name) => [name, text(tenure.headers.get(name))])),
  };
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('latin1');
}

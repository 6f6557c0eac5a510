import { randomUUID } from 'node:crypto';
import { type Checkpoint, type Chunk, type StateStore, type Tenure, TenureLost } from '../../ports.ts';
import { TenureCalls } from '../tenure-calls.ts';
import { MemoryState } from './memory-state.ts';
import { acquire, checkOwned, discard, write } from './partition-state.ts';

export interface MemoryStateOptions {
  /** How much of each session `Tenure.headers` holds. */
  headerBytes: number;
  /** Shared by the stores that compete. */
  state?: MemoryState;
  /** Without it a checkpoint is one chunk: nobody waits for memory. */
  chunkMax?: Tenure['chunkMax'];
}

const NO_MAX = { sessions: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** State in this process: the embedded default, and the twin of the Redis store in tests. */
export class MemoryStateStore implements StateStore {
  readonly #state: MemoryState;
  readonly #headerBytes: number;
  readonly #chunkMax: Tenure['chunkMax'];

  constructor({ headerBytes, state = new MemoryState(), chunkMax = NO_MAX }: MemoryStateOptions) {
    this.#state = state;
    this.#headerBytes = headerBytes;
    this.#chunkMax = chunkMax;
  }

  acquire(partition: number): Promise<Tenure> {
    return this.#take(partition, acquire);
  }

  discard(partition: number, reason: string): Promise<Tenure> {
    return this.#take(partition, (state, token) => {
      acquire(state, token);
      return discard(state, reason);
    });
  }

  async #take(partition: number, take: typeof acquire): Promise<Tenure> {
    const token = randomUUID();
    const acquired = await this.#state.change(partition, (state) => {
      const discarded = take(state, token);
      const headers = new Map<string, Uint8Array>();
      for (const [session, bytes] of state.sessions) headers.set(session, bytes.subarray(0, this.#headerBytes));
      return { seq: state.seq, checkpoint: state.checkpoint, discarded, headers, chunkMax: this.#chunkMax };
    });
    return new MemoryTenure(this.#state, partition, token, acquired);
  }

  /** Nothing to end: the state lives as long as somebody holds it. */
  async close(): Promise<void> {}
}

class MemoryTenure implements Tenure {
  readonly checkpoint: Checkpoint | undefined;
  readonly discarded: string | undefined;
  readonly headers: Map<string, Uint8Array>;
  readonly chunkMax: Tenure['chunkMax'];
  readonly #state: MemoryState;
  readonly #partition: number;
  readonly #token: string;
  readonly #calls = new TenureCalls();
  #seq: number;
  #next: number | undefined;

  constructor(
    state: MemoryState,
    partition: number,
    token: string,
    acquired: Pick<Tenure, 'checkpoint' | 'discarded' | 'headers' | 'chunkMax'> & { seq: number },
  ) {
    this.#state = state;
    this.#partition = partition;
    this.#token = token;
    this.#seq = acquired.seq;
    this.#next = acquired.checkpoint?.next;
    this.checkpoint = acquired.checkpoint;
    this.discarded = acquired.discarded;
    this.headers = acquired.headers;
    this.chunkMax = acquired.chunkMax;
  }

  load(sessions: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#calls.run(() =>
      this.#state.read(this.#partition, (state) => {
        checkOwned(state, this.#token, this.#seq);
        return sessions.map((session) => state.sessions.get(session));
      }),
    );
  }

  write(chunk: Chunk): Promise<void> {
    return this.#calls.run(async () => {
      const seq = this.#seq;
      await this.#state.change(this.#partition, (state) => write(state, this.#token, seq, chunk));
      this.#seq += 1;
      if (chunk.checkpoint) this.#next = chunk.checkpoint.next;
    });
  }

  probe(): Promise<void> {
    return this.#calls.run(() =>
      this.#state.read(this.#partition, (state) => {
        checkOwned(state, this.#token, this.#seq);
        if (state.checkpoint?.next !== this.#next) {
          throw new TenureLost('state_lost', `state at offset ${state.checkpoint?.next} instead of ${this.#next}`);
        }
      }),
    );
  }
}

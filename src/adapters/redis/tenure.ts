import { type Checkpoint, type Chunk, type Tenure, TenureLost } from '../../ports.ts';
import { TenureCalls } from '../tenure-calls.ts';
import type { RedisConnections } from './connection.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Of a checkpoint: a script of this size holds a server up for a few milliseconds. */
const CHUNK_MAX = { sessions: 400, bytes: 768 * 1024 };

/** What `acquire` settled before anybody may use the tenure. */
export interface Acquired {
  checkpoint: Checkpoint | undefined;
  discarded: string | undefined;
  headers: Map<string, Uint8Array>;
}

export class RedisTenure implements Tenure {
  readonly checkpoint: Checkpoint | undefined;
  readonly discarded: string | undefined;
  readonly headers: Map<string, Uint8Array>;
  readonly chunkMax = CHUNK_MAX;
  readonly #connections: RedisConnections;
  readonly #owned: OwnedPartition;
  readonly #calls = new TenureCalls();
  #written: Checkpoint | undefined;
  #runId: string | undefined;

  constructor(connections: RedisConnections, owned: OwnedPartition, acquired: Acquired) {
    this.#connections = connections;
    this.#owned = owned;
    this.checkpoint = acquired.checkpoint;
    this.discarded = acquired.discarded;
    this.headers = acquired.headers;
    this.#written = acquired.checkpoint;
  }

  load(sessions: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#calls.run(() => this.#owned.load(this.#connections.state, sessions));
  }

  write(chunk: Chunk): Promise<void> {
    return this.#calls.run(async () => {
      await this.#owned.write(this.#connections.state, chunk);
      if (chunk.checkpoint) this.#written = chunk.checkpoint;
    });
  }

  /** Goes over its own connection: the one that writes may still hang on a server that is no longer the primary. */
  probe(): Promise<void> {
    return this.#calls.run(async () => {
      const { next, runId } = await this.#owned.probe(this.#connections.probe);
      if (next !== this.#written?.next) {
        throw new TenureLost('state_lost', `state at offset ${next} instead of ${this.#written?.next}`);
      }
      // Another server, or the same one started again: what it read from its disk is compared byte by byte.
      if (runId !== this.#runId) await this.#compareAll();
      this.#runId = runId;
    });
  }

  async #compareAll(): Promise<void> {
    const { point } = await this.#owned.checkpoint(this.#connections.probe);
    const written = this.#written;
    const same =
      point && written
        ? point.sessions === written.sessions && Buffer.compare(point.partition, written.partition) === 0
        : point === written;
    if (!same) throw new TenureLost('state_lost', 'the state of the partition is not what was written');
  }
}

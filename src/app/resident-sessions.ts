import type { Partition } from '../engine/partition.ts';

/** What a session takes in memory, by its packed size: measured between 1 and 30 actions under the shipped rules. */
const UNPACKED = { each: 4096, perByte: 7 };
/** Down to this share of the budget, so that not every batch has to make room. */
const ROOM_LEFT = 0.75;

/**
 * Keeps the sessions of one partition that are in memory within a budget. Those that have not changed for longest are
 * dropped and loaded again when a record needs them: never one whose state the store does not hold as it is.
 *
 *   #packed   oldest change ──► newest change
 *             dropped first     just saved, or just loaded
 */
export class ResidentSessions {
  readonly #partition: Partition;
  /** Packed bytes of the sessions that were saved or loaded, in that order. */
  readonly #packed = new Map<string, number>();
  #bytes = 0;

  constructor(partition: Partition) {
    this.#partition = partition;
  }

  /** About what they take, in bytes. Sessions that were never saved are not among them. */
  get bytes(): number {
    return this.#bytes;
  }

  loaded(id: string, packedBytes: number): void {
    this.#forget(id);
    this.#packed.set(id, packedBytes);
    this.#bytes += unpackedBytes(packedBytes);
  }

  /** The store holds these changes. */
  saved(changes: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [id, state] of changes) {
      if (state === null) this.#forget(id);
      else this.loaded(id, state.length);
    }
  }

  /** Drops what is over the budget. Only between batches, and while nothing is being saved. */
  makeRoom(budgetBytes: number): void {
    if (this.#bytes <= budgetBytes) return;
    for (const id of this.#packed.keys()) {
      if (this.#bytes <= budgetBytes * ROOM_LEFT) return;
      const session = this.#partition.sessions.get(id);
      // A changed one will be saved, and is the newest then.
      if (session?.changed) continue;
      if (session !== undefined) this.#partition.release(session);
      this.#forget(id);
    }
  }

  #forget(id: string): void {
    const packed = this.#packed.get(id);
    if (packed === undefined) return;
    this.#packed.delete(id);
    this.#bytes -= unpackedBytes(packed);
  }
}

function unpackedBytes(packedBytes: number): number {
  return UNPACKED.each + UNPACKED.perByte * packedBytes;
}

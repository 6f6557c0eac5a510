import { copyOf, emptyPartition, type PartitionState } from './partition-state.ts';

/**
 * What goes wrong with one call of a store.
 * `refused`: it fails and was not applied. `reply_lost`: it fails and was applied. `late`: it fails, and is applied at
 * `deliver`. `twice`: it succeeds, and is applied once more at `deliver`.
 */
export type Fault = 'refused' | 'reply_lost' | 'late' | 'twice';

/**
 * The server of the memory adapter: partitions that several stores compete for. Faults are asked for by tests; the
 * embedded product never does.
 */
export class MemoryState {
  #partitions = new Map<number, PartitionState>();
  readonly #faults: Fault[] = [];
  readonly #inFlight: (() => unknown)[] = [];
  readonly #rememberedWrites: number;
  #writes = 0;
  readonly #history: Map<number, PartitionState>[] = [];

  /** How many writes `loseWrites` can take back. Each remembered one costs a copy of all maps. */
  constructor({ rememberedWrites = 0 }: { rememberedWrites?: number } = {}) {
    this.#rememberedWrites = rememberedWrites;
  }

  read<T>(partition: number, call: (state: PartitionState) => T): Promise<T> {
    return this.#meet(() => call(this.#partition(partition)));
  }

  change<T>(partition: number, call: (state: PartitionState) => T): Promise<T> {
    return this.#meet(() => {
      const before = this.#rememberedWrites > 0 ? this.#copies() : undefined;
      const answer = call(this.#partition(partition));
      this.#writes += 1;
      if (before) this.#history.push(before);
      if (this.#history.length > this.#rememberedWrites) this.#history.shift();
      return answer;
    });
  }

  /** How many writes `loseWrites` can take back now. */
  get remembered(): number {
    return this.#history.length;
  }

  /** How many writes took place; refused ones do not count. */
  get writes(): number {
    return this.#writes;
  }

  /** The next calls of any store meet these, one each. */
  failNext(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Calls that are still on their way. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** What is still on its way arrives now, in the order in which it was sent. */
  deliver(): void {
    while (this.inFlight > 0) this.deliverOne(0);
  }

  /** That one arrives now, whatever was sent before it. */
  deliverOne(at: number): void {
    for (const call of this.#inFlight.splice(at, 1)) attempt(call);
  }

  /** A failover to a replica that had not seen the last writes. */
  loseWrites(count: number): void {
    if (count > this.#history.length) throw new RangeError(`only ${this.#history.length} writes are remembered`);
    if (count === 0) return;
    this.#partitions = this.#history.splice(this.#history.length - count)[0]!;
    this.#writes -= count;
  }

  flush(): void {
    this.#partitions.clear();
    this.#history.length = 0;
  }

  /** What a foreign hand does that knows no protocol. */
  tamper(partition: number, change: (state: PartitionState) => void): void {
    change(this.#partition(partition));
  }

  async #meet<T>(call: () => T): Promise<T> {
    const fault = this.#faults.shift();
    if (fault === 'refused') throw new Error('memory state: refused');
    if (fault === 'late' || fault === 'twice') this.#inFlight.push(call);
    if (fault === 'late') throw new Error('memory state: timed out');
    if (fault === 'reply_lost') {
      attempt(call);
      throw new Error('memory state: reply lost');
    }
    return call();
  }

  #partition(partition: number): PartitionState {
    let state = this.#partitions.get(partition);
    if (!state) {
      state = emptyPartition();
      this.#partitions.set(partition, state);
    }
    return state;
  }

  #copies(): Map<number, PartitionState> {
    return new Map([...this.#partitions].map(([partition, state]) => [partition, copyOf(state)]));
  }
}

/** Nobody gets the answer of a late or lost call, so its refusal is nobody's. */
function attempt(call: () => unknown): void {
  try {
    call();
  } catch {
    return;
  }
}

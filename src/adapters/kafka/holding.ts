/**
 * One partition from its assignment until it is lost: by a rebalance, by a failure of the reader, by the end. A call
 * that began under a holding ends under it; what it does after `ended` changes nothing any more.
 *
 *   assigning ──► reading ──► ended
 *       └──────────────────────┘
 */
export class Holding {
  readonly partition: number;
  readonly #lost = new AbortController();
  #next: number | undefined;
  #accounted = 0;
  /** Answers in a row that did not begin where they should. */
  strikes = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get ended(): boolean {
    return this.#lost.signal.aborted;
  }

  get reading(): boolean {
    return this.#next !== undefined && !this.ended;
  }

  /** What the reader gets next. */
  get next(): number {
    if (this.#next === undefined) throw new Error(`partition ${this.partition}: the reader is not assigned`);
    return this.#next;
  }

  /** What must be fetched next: beyond `next` by positions that hold no records. */
  get accounted(): number {
    return this.#accounted;
  }

  /** The reader is at `next`: it said so when it was assigned, or has fulfilled a batch up to there. */
  reached(next: number): void {
    this.#next = next;
    this.#accounted = next;
  }

  /** Nothing is to be read before `end`; the reader learns it with its next batch. */
  passedOver(end: number): void {
    this.#accounted = end;
  }

  end(): void {
    this.#lost.abort();
  }
}

/** At most `places` at a time; the others wait in order. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

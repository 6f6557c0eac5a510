interface Timer {
  atMs: number;
  session: string;
}

/**
 * Which session has to be looked at next. A binary heap of (time, session); an entry whose session has another
 * `timerMs` by now is void, and the caller skips it. The order is total, so every run looks in the same order.
 */
export class Timers {
  #heap: Timer[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, session: string): void {
    const heap = this.#heap;
    let at = heap.push({ atMs, session }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  /** Takes the earliest entry that is due at `nowMs`. */
  takeDue(nowMs: number): Timer | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  /** Sessions of all entries that are due at `nowMs`, in no order; they stay. */
  due(nowMs: number): string[] {
    const found: string[] = [];
    const visit = (at: number) => {
      const timer = this.#heap[at];
      if (timer === undefined || timer.atMs > nowMs) return;
      found.push(timer.session);
      visit(2 * at + 1);
      visit(2 * at + 2);
    };
    visit(0);
    return found;
  }

  #sink(timer: Timer): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && before(heap[least + 1]!, heap[least]!)) least++;
      if (!before(heap[least]!, timer)) break;
      heap[at] = heap[least]!;
      at = least;
    }
    heap[at] = timer;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.session < b.session;
}

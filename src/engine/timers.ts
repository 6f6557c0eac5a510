export interface Timer {
  atMs: number;
  session: string;
}

const ROOM_MIN = 64;

/**
 * Which session has to be looked at next. A binary heap of (time, session); an entry whose session has another
 * `timerMs` by now is void, and the caller skips it. The order is total, so every run looks in the same order.
 *
 * Times and sessions lie in two arrays, side by side: there is an entry for every session that lives, and as an object
 * each would take four times the room.
 */
export class Timers {
  #times = new Float64Array(ROOM_MIN);
  readonly #sessions: string[] = [];

  get size(): number {
    return this.#sessions.length;
  }

  add(atMs: number, session: string): void {
    let at = this.size;
    if (at === this.#times.length) this.#resize(2 * at);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isAfter(parent, atMs, session)) break;
      this.#put(at, this.#times[parent]!, this.#sessions[parent]!);
      at = parent;
    }
    this.#put(at, atMs, session);
  }

  /** The earliest entry. */
  get first(): Timer | undefined {
    return this.size === 0 ? undefined : { atMs: this.#times[0]!, session: this.#sessions[0]! };
  }

  /** Takes the earliest entry that is due at `nowMs`. */
  takeDue(nowMs: number): Timer | undefined {
    if (this.size === 0 || this.#times[0]! > nowMs) return undefined;
    const first = this.first;
    const session = this.#sessions.pop()!;
    if (this.size > 0) this.#sink(this.#times[this.size]!, session);
    if (this.#times.length > ROOM_MIN && this.size < this.#times.length / 4) this.#resize(this.#times.length / 2);
    return first;
  }

  /** Whether more than `count` entries are due at `nowMs`, void ones among them. */
  isCrowded(nowMs: number, count: number): boolean {
    let found = 0;
    const visit = (at: number): boolean => {
      if (at >= this.size || this.#times[at]! > nowMs) return false;
      found++;
      return found > count || visit(2 * at + 1) || visit(2 * at + 2);
    };
    return visit(0);
  }

  /** The first sessions that are due at `nowMs`, `count` at most, in order. They stay; entries that are void do not. */
  firstDue(nowMs: number, count: number, isVoid: (timer: Timer) => boolean): string[] {
    const kept: Timer[] = [];
    const sessions = new Set<string>();
    while (sessions.size < count) {
      const due = this.takeDue(nowMs);
      if (due === undefined) break;
      if (isVoid(due)) continue;
      kept.push(due);
      sessions.add(due.session);
    }
    for (const { atMs, session } of kept) this.add(atMs, session);
    return [...sessions];
  }

  /** Puts the entry in the place of the first, and below what comes before it. */
  #sink(atMs: number, session: string): void {
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= this.size) break;
      const other = least + 1;
      if (other < this.size && this.#isAfter(least, this.#times[other]!, this.#sessions[other]!)) least = other;
      if (this.#isAfter(least, atMs, session)) break;
      this.#put(at, this.#times[least]!, this.#sessions[least]!);
      at = least;
    }
    this.#put(at, atMs, session);
  }

  #put(at: number, atMs: number, session: string): void {
    this.#times[at] = atMs;
    this.#sessions[at] = session;
  }

  /** Whether the entry there comes after this one. */
  #isAfter(at: number, atMs: number, session: string): boolean {
    const there = this.#times[at]!;
    return there !== atMs ? there > atMs : this.#sessions[at]! > session;
  }

  #resize(room: number): void {
    const times = new Float64Array(room);
    times.set(this.#times.subarray(0, Math.min(room, this.size)));
    this.#times = times;
  }
}

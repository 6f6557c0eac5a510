import type { Clock } from '../ports.ts';

/** Waits shorter than this are not slept: the timer of the machine is no finer, and many of them add up. */
const SHORTEST_SLEEP_MS = 4;

/** Lets recorded time pass `speed` times as fast as it was; `max` does not wait. */
export class Pace {
  readonly #clock: Clock;
  readonly #speed: number | 'max';
  #firstMs: number | undefined;
  #startedMs = 0;

  constructor(clock: Clock, speed: number | 'max') {
    this.#clock = clock;
    this.#speed = speed;
  }

  /** Fulfilled when it is time for what happened at `atMs`, or when the signal aborts. */
  async reach(atMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#speed === 'max') return;
    if (this.#firstMs === undefined) {
      this.#firstMs = atMs;
      this.#startedMs = this.#clock.monotonicMs();
    }
    const dueMs = this.#startedMs + (atMs - this.#firstMs) / this.#speed;
    const waitMs = dueMs - this.#clock.monotonicMs();
    if (waitMs >= SHORTEST_SLEEP_MS) await this.#clock.sleep(waitMs, signal);
  }
}

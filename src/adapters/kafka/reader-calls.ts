import type { Clock } from '../../ports.ts';

const HEARTBEAT_MS = 1000;

/** The calls into the reader: never two at once for one partition, whoever wants them, and none left unwatched. */
export class ReaderCalls {
  readonly #clock: Clock;
  readonly #running = new Map<number, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Fulfilled when no call of the partition runs. An old owner's call may outlive its assignment. */
  async idle(partition: number): Promise<void> {
    for (;;) {
      const running = this.#running.get(partition);
      if (running === undefined) return;
      await running;
    }
  }

  async allIdle(): Promise<void> {
    await Promise.all([...this.#running.values()]);
  }

  busy(): number[] {
    return [...this.#running.keys()];
  }

  async run<T>(partition: number, call: () => Promise<T>): Promise<T> {
    if (this.#running.has(partition)) throw new Error(`partition ${partition}: a call of the reader is running`);
    let settle!: () => void;
    this.#running.set(
      partition,
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    try {
      return await call();
    } finally {
      this.#running.delete(partition);
      settle();
    }
  }

  /** The same, with a heartbeat each second while the call lasts. `heartbeat` must not reject. */
  async runAlive<T>(partition: number, call: () => Promise<T>, heartbeat: () => Promise<void>): Promise<T> {
    const done = new AbortController();
    const beat = async () => {
      for (;;) {
        await this.#clock.sleep(HEARTBEAT_MS, done.signal);
        if (done.signal.aborted) return;
        await heartbeat();
      }
    };
    void beat();
    try {
      return await this.run(partition, call);
    } finally {
      done.abort();
    }
  }
}

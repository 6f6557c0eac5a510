import type { Logger } from 'pino';
import type { Clock } from '../ports.ts';
import type { PartitionWorker } from './partition-worker.ts';

const TOLD_EVERY_MS = 10_000;

interface Way {
  fromMs: number;
  from: number;
  toldMs: number;
  told: boolean;
}

/**
 * Says how far a partition is on its way to where the log ended when it was taken over: after a rebuild, or after hours
 * without an analyzer, that takes its time, and whoever waits for it wants to know how long.
 */
export class CatchUp {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ways = new WeakMap<PartitionWorker, Way>();

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** After each batch, until it is there. */
  note(worker: PartitionWorker): void {
    const { next } = worker;
    const { partition, high } = worker.assignment;
    const nowMs = this.#clock.monotonicMs();
    const way = this.#ways.get(worker);
    if (way === undefined) {
      this.#ways.set(worker, { fromMs: nowMs, from: next, toldMs: nowMs, told: false });
      return;
    }
    const seconds = (nowMs - way.fromMs) / 1000;
    if (next >= high) {
      if (way.told) this.#logger.info({ partition, high, seconds: Math.round(seconds) }, 'caught up with the log');
      return;
    }
    if (nowMs - way.toldMs < TOLD_EVERY_MS) return;
    way.toldMs = nowMs;
    way.told = true;
    const perSecond = (next - way.from) / seconds;
    const secondsLeft = perSecond > 0 ? Math.ceil((high - next) / perSecond) : undefined;
    this.#logger.info({ partition, next, high, percent: Math.floor((100 * next) / high), secondsLeft }, 'catching up');
  }
}

import type { Output } from '../../domain/output.ts';
import type { Clock, Outlet } from '../../ports.ts';
import { toWire, type WireOptions } from '../wire.ts';
import type { MemoryLog } from './log.ts';

export interface MemoryOutletOptions extends Omit<WireOptions, 'nowMs' | 'attempt'> {
  log: MemoryLog;
  clock: Clock;
}

/** How much of its outputs a failing `publish` has written. */
export type FailurePoint = 'before' | 'halfway' | 'after';

/** Keeps what is published, in order; owner records go back into the log, as they do in Kafka. */
export class MemoryOutlet implements Outlet {
  readonly outputs: Output[] = [];
  readonly #options: MemoryOutletOptions;
  #failure: { error: Error; point: FailurePoint } | undefined;

  constructor(options: MemoryOutletOptions) {
    this.#options = options;
  }

  failNext(error: Error, point: FailurePoint): void {
    this.#failure = { error, point };
  }

  async publish(outputs: readonly Output[]): Promise<void> {
    const failure = this.#failure;
    this.#failure = undefined;
    const written = failure === undefined ? outputs.length : WRITTEN[failure.point](outputs.length);
    for (const output of outputs.slice(0, written)) this.#write(output);
    if (failure !== undefined) throw failure.error;
  }

  async close(): Promise<void> {}

  #write(output: Output): void {
    this.outputs.push(output);
    if (output.topic !== 'actions') return;
    const { log, clock, ...options } = this.#options;
    for (const message of toWire(output, { ...options, nowMs: clock.nowMs(), attempt: 1 })) {
      const { key, value, headers, partition } = message;
      log.append({ key, value, headers }, partition);
    }
  }
}

const WRITTEN: Record<FailurePoint, (count: number) => number> = {
  before: () => 0,
  halfway: (count) => Math.ceil(count / 2),
  after: (count) => count,
};

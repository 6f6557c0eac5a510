import type { Clock } from '../../ports.ts';

/** The consumer is dead or seems so. kafkajs would leave the process alive and blind. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed';
  readonly reason: 'crashed' | 'stalled' | 'stop_late' | 'repartitioned';

  constructor(reason: SourceFailed['reason'], message: string, cause?: unknown) {
    super(`Kafka consumer ${reason}: ${message}`, { cause });
    this.reason = reason;
  }
}

export interface ProgressWatch {
  sign: () => void;
  end: () => void;
}

/** Fails when there was no sign of life for `stallMs` on the monotonic clock: kafkajs trusts the wall clock. */
export function watchProgress(clock: Clock, stallMs: number, fail: (error: SourceFailed) => void): ProgressWatch {
  let lastMs = clock.monotonicMs();
  const ended = new AbortController();
  void (async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(stallMs / 10, ended.signal);
      const silentMs = clock.monotonicMs() - lastMs;
      if (!ended.signal.aborted && silentMs > stallMs) {
        fail(new SourceFailed('stalled', `neither fetched nor ended a batch for ${Math.round(silentMs)} ms`));
        return;
      }
    }
  })();
  return {
    sign: () => {
      lastMs = clock.monotonicMs();
    },
    end: () => ended.abort(),
  };
}

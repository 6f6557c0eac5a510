import type { Clock } from '../ports.ts';

/** The clock of the machine: the only place where Firebreak reads the time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      // A longer delay would fire at once: Node keeps it in 31 bits.
      const timer = setTimeout(wake, Math.min(durationMs, 2 ** 31 - 1));
      signal?.addEventListener('abort', wake);
    }),
};

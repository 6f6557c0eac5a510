import { defineConfig } from 'vitest/config';

/** `npm run bench`: a measurement, not a test; it only fails when it cannot measure. */
export default defineConfig({
  test: {
    include: [
      'test/bench/throughput.ts',
      'test/bench/backtest.ts',
      'test/bench/learn.ts',
      'test/bench/stop-latency.ts',
      'test/bench/metrics.ts',
    ],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    globalSetup: 'test/services/global-setup.ts',
    reporters: ['default'],
    disableConsoleIntercept: true,
  },
});

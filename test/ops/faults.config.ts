import { defineConfig } from 'vitest/config';

/** `npm run test:long -- --part alerts`. */
export default defineConfig({
  test: {
    include: ['test/ops/faults.ts', 'test/ops/promises.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    globalSetup: 'test/services/global-setup.ts',
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    pool: 'forks',
    // One more than two processors have: much of the suite waits for real servers and processes.
    maxWorkers: 3,
    globalSetup: 'test/services/global-setup.ts',
  },
});

import { defineConfig } from 'vitest/config';

/** `npm run test:long -- --part rolling-restart`. */
export default defineConfig({
  test: {
    include: ['test/integration/rolling-restart.ts'],
    testTimeout: 300_000,
    globalSetup: 'test/services/global-setup.ts',
    disableConsoleIntercept: true,
  },
});

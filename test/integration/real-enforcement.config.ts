import { defineConfig } from 'vitest/config';

/** `npm run test:long -- --part real-enforcement`. */
export default defineConfig({
  test: {
    include: ['test/integration/real-enforcement.ts'],
    testTimeout: 300_000,
    globalSetup: 'test/services/global-setup.ts',
  },
});

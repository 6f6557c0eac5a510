import { defineConfig } from 'vitest/config';

/** `npm run test:long -- --part pictures`. */
export default defineConfig({
  test: { include: ['test/ops/pictures.ts'], globalSetup: 'test/services/global-setup.ts' },
});

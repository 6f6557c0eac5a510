import { defineConfig } from 'vitest/config';

/** `npx vitest run --config test/services/compatibility.config.ts`: every Kafka version that is said to work. */
export default defineConfig({
  test: { include: ['test/services/compatibility.ts'], testTimeout: 60_000, hookTimeout: 600_000 },
});

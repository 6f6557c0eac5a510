import { defineConfig } from 'vitest/config';

/** Parts of `npm run test:long` on real services, each named by its file. */
export default defineConfig({
  test: {
    include: [
      'test/cli/{learn,backtest,regroup}.ts',
      'test/simulation/ended.ts',
      'test/integration/{kill,away,decisions,learn-killed,every-transition,rolling-restart,crowds-killed,command-lines}.ts',
    ],
    testTimeout: 300_000,
    globalSetup: 'test/services/global-setup.ts',
    disableConsoleIntercept: true,
  },
});

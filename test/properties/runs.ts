const { FIREBREAK_RANDOM_RUNS: runs, FIREBREAK_RANDOM_SEED: seed } = process.env;

interface Runs {
  numRuns: number;
  seed?: number;
  interruptAfterTimeLimit?: number;
}

/** `usual` in `npm test`. `npm run test:long` asks for many more, all of them, with a seed of its own. */
export function runsOf(usual: Runs): Runs {
  return runs === undefined ? usual : { numRuns: Number(runs), seed: Number(seed) };
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';

interface Outcome {
  name: string;
  schedules: number;
  found: string | null;
}

describe('without one protective line a schedule fails:', () => {
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)('node', ['test/simulation/mutate.mjs']);
    for (const line of stdout.trim().split('\n')) {
      const outcome: Outcome = JSON.parse(line);
      outcomes.set(outcome.name, outcome);
    }
  }, 600_000);

  it.each(MUTATIONS.map(({ name }) => name))('%s', (name) => {
    expect(outcomes.get(name)).toMatchObject({ name, found: expect.any(String) });
  });
});

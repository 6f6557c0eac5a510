import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** What `npm run NAME` runs, and the options that it has. */
const COMMANDS: [name: string, script: string, options: string[]][] = [
  ['simulate', 'test/simulation/start.mjs', ['schedules', 'seed', 'workers']],
  ['chaos', 'test/chaos/start.mjs', ['minutes', 'seed', 'redis', 'scenario', 'sessions', 'list']],
  ['test:long', 'test/long.mjs', ['part', 'count', 'from']],
  ['bench', 'test/bench/start.mjs', []],
  [
    'bench:simulation',
    'test/bench/simulation/main.mjs',
    ['seeds', 'worlds', 'size', 'promising', 'agents', 'workers', 'json', 'html'],
  ],
  [
    'bench:detection',
    'test/bench/detection/main.mjs',
    [
      ...['train', 'test', 'rules', 'budget', 'confidence', 'folds', 'fit-exclude', 'on-uncertified', 'shuffle'],
      ...['json', 'html'],
    ],
  ],
  ['stack', 'ops/stack.mjs', ['speed', 'partitions', 'http-port', 'prometheus-port']],
  ['ops', 'ops/write.mjs', ['runbooks', 'rules', 'job']],
];

function run(script: string, ...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, out, err) => resolve({ code: error?.code ?? 0, out, err }));
  });
}

/** Some build first what they run. */
const BUILT = { timeout: 120_000 };

describe.each(COMMANDS)('npm run %s', BUILT, (name, script, options) => {
  it('names its options when it is asked', async () => {
    const { code, out, err } = await run(script, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`npm run ${name} -- `);
    for (const option of options) expect(out).toContain(`--${option}`);
  });

  it('refuses one that it does not have, in one line', async () => {
    const { code, out, err } = await run(script, '--nope');
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^.*--nope.*\n$/);
  });
});

it.each([
  ['test/bench/simulation/main.mjs', ['--agents', '--html', 'x.html'], '--html draws no agents'],
  ['test/bench/simulation/main.mjs', ['--seeds', '3-1'], '--seeds: found "3-1"'],
  ['test/bench/simulation/main.mjs', ['--worlds', 'nowhere'], '--worlds: found "nowhere"'],
  ['test/bench/detection/main.mjs', ['--train', 'x'], '--train and --test are needed'],
  ['test/bench/detection/main.mjs', ['--train', 'x', '--test', 'x', '--budget', '2'], '--budget: found "2"'],
  ['test/bench/start.mjs', ['speed'], 'found "speed", allowed: throughput'],
  ['test/long.mjs', ['--part', 'nothing'], '--part: found "nothing"'],
  ['test/long.mjs', ['--part', 'fuzz-rules', '--nope'], "Unknown option '--nope'"],
  ['test/chaos/start.mjs', ['--redis', 'none'], '--redis: found "none", allowed: sentinel, cluster'],
])('%s %j is refused in one line', BUILT, async (script, args, told) => {
  const { code, out, err } = await run(script, ...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(/^.+\n$/);
  expect(err).toContain(told);
});

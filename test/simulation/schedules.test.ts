import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const SCHEDULES = 2000;
const run = promisify(execFile);

function simulate(...args: string[]) {
  return run('node', ['test/simulation/start.mjs', ...args]);
}

describe('any schedule of crashes, zombies, faults and losses', () => {
  /** What the naive engine says of a session that is raised by silence after its last action. */
  it.each([349_000])('that failed once: seed %i', async (seed) => {
    await simulate('--schedules', '1', '--seed', String(seed));
  });

  it(`comes to what one process without failures comes to: ${SCHEDULES} seeds`, async () => {
    const { stdout } = await simulate('--schedules', String(SCHEDULES), '--seed', '1');
    expect(stdout).toBe(`${SCHEDULES} schedules, 0 diverged, 0 lost, 0 extra\n`);
  }, 600_000);

  it('is refused with the reason where the arguments are not usable', async () => {
    await expect(simulate('--seed', 'x')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--seed: found "x", allowed: 1 or more'),
    });
  });
});

describe('a run that is ended', { timeout: 120_000 }, () => {
  /** Ctrl-C goes to the workers, too. */
  it.each([
    ['SIGINT', 'all', 130],
    ['SIGTERM', 'the parent', 143],
  ] as const)('says what it has counted when %s goes to %s', async (signal, to, code) => {
    const { child, said, told } = await started();
    process.kill(to === 'all' ? -child.pid! : child.pid!, signal);
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(await said).toMatch(
      new RegExp(`^[1-9]\\d* schedules, 0 diverged, 0 lost, 0 extra; ${signal} before the other \\d+\n$`),
    );
    expect((await told).split('\n').filter((line) => !line.includes(' %  '))).toEqual(['']);
  });

  it('leaves no worker behind that is heard of when it is killed', async () => {
    const { child, said, told } = await started();
    child.kill('SIGKILL');
    expect(await said).toBe(''); // ends when every worker has
    expect((await told).split('\n').filter((line) => !line.includes(' %  '))).toEqual(['']);
  });

  /** A run of hours, of which something is counted. */
  async function started() {
    const args = ['test/simulation/start.mjs', '--schedules', '1000000', '--workers', '1'];
    const child = spawn('node', args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const [said, told] = [text(child.stdout), text(child.stderr)];
    await once(child.stderr, 'data'); // how far it is
    return { child, said, told };
  }
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const BLOCKED_MS = 1000;

/** A process with a watchdog that does `work` then. */
async function watched(work: string): Promise<{ signal: string | null; code: number | null; said: string }> {
  const source = `import { startWatchdog } from './dist/cli/watchdog.js'; startWatchdog(${BLOCKED_MS});
    await new Promise((resolve) => setTimeout(resolve, 200)); ${work}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, said };
}

describe('the watchdog', () => {
  it.concurrent('kills a process whose event loop does not turn, and says so', async () => {
    const { signal, said } = await watched('for (;;);');
    expect(signal).toBe('SIGKILL');
    expect(JSON.parse(said)).toMatchObject({ level: 'fatal', msg: expect.stringMatching(/has not turned for \d+ ms/) });
  });

  it.concurrent('leaves one alone that is busy and turns, and keeps none alive', async () => {
    const { code, said } = await watched(`
      for (const end = Date.now() + ${2 * BLOCKED_MS}; Date.now() < end; ) await new Promise(setImmediate);`);
    expect([code, said]).toEqual([0, '']);
  });

  it.concurrent('leaves one alone that was stopped, and goes on', async () => {
    const { code, said } = await watched(`
      const { spawn } = await import('node:child_process');
      spawn('sh', ['-c', 'kill -STOP ' + process.pid + '; sleep 2; kill -CONT ' + process.pid]);
      await new Promise((resolve) => setTimeout(resolve, 500));`);
    expect([code, said]).toEqual([0, '']);
  });
});

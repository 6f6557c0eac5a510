import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startGuarded } from '../../services/guarded.ts';
import { ensureInstalled, freePorts } from '../../services/installed.ts';

/** A redis-server that one test file may freeze, fill, flush, or start with wrong settings. */
export interface OwnRedis {
  port: number;
  url: string;
  /** A plain client, for what a foreign hand does. */
  admin: Redis;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

export async function startOwnRedis(...settings: string[]): Promise<OwnRedis> {
  await ensureInstalled('redis-server', ['redis-server']);
  const [port] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-redis-'));
  const fixed = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const server = startGuarded([...fixed, ...settings], folder);
  const ended = server.ended.then((log) => {
    throw new Error(`redis-server ended while starting:\n${log}`);
  });
  ended.catch(() => undefined); // matters while starting only
  const admin = new Redis(port!, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on('error', () => undefined); // refused until the server listens
  const pid = Number(/process_id:(\d+)/.exec(await Promise.race([admin.info('server'), ended]))?.[1]);
  return {
    port: port!,
    url: `redis://127.0.0.1:${port}`,
    admin,
    signal: (signal) => void process.kill(pid, signal),
    stop: async () => {
      admin.disconnect();
      await server.stop();
    },
  };
}

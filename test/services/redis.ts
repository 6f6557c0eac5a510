import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { startGuarded } from './guarded.ts';
import { dockerRuns, ensureInstalled, freePorts, say } from './installed.ts';

const IMAGE = 'redis:7';
/** One per test file is enough and costs nothing. */
export const DATABASES = 512;

export interface RedisService {
  url: string;
  port: number;
  kind: 'environment' | 'docker' | 'own';
  /**
   * Kills the server and starts it again on its port, when `whileAway` is over. Its data is gone unless every write was
   * kept.
   */
  restart(whileAway?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis to test with: the one in FIREBREAK_TEST_REDIS, else in Docker, else the local redis-server. */
export async function startRedis(options: { keep?: 'nothing' | 'every_write' } = {}): Promise<RedisService> {
  const given = process.env['FIREBREAK_TEST_REDIS'];
  if (given && !options.keep) {
    await untilReady(given, new Promise(() => {}), 'FIREBREAK_TEST_REDIS');
    say(`Redis at ${given} (FIREBREAK_TEST_REDIS)`);
    const restart = () => Promise.reject(new Error('The server of FIREBREAK_TEST_REDIS cannot be restarted from here'));
    const port = Number(new URL(given).port || 6379);
    return { url: given, port, kind: 'environment', restart, stop: async () => {} };
  }
  return start(options.keep ?? 'nothing');
}

async function start(keep: 'nothing' | 'every_write'): Promise<RedisService> {
  const kind = (await dockerRuns()) ? 'docker' : 'own';
  if (kind === 'own') await ensureInstalled('redis-server', ['redis-server']);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(kind, keep);
    } catch (error) {
      // A port may have been taken between the choice and the use. Nothing else gets better by itself.
      if (attempt === 3 || !/already in use|already allocated/i.test(String(error))) throw error;
    }
  }
}

async function startOnce(kind: 'docker' | 'own', keep: 'nothing' | 'every_write'): Promise<RedisService> {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-redis-'));
  const port = (await freePorts(1))[0]!;
  const url = `redis://127.0.0.1:${port}`;
  const disk = keep === 'nothing' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', 'always'];
  const settings = ['--save', '', '--databases', String(DATABASES), ...disk];
  const name = `firebreak-redis-${randomBytes(6).toString('hex')}`;
  const commands = {
    own: ['redis-server', '--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...settings],
    docker: ['docker', 'run', '--name', name, '-p', `127.0.0.1:${port}:6379`, IMAGE, 'redis-server', ...settings],
  };
  const ends = {
    own: undefined,
    docker: `if [ -e "$folder/keep" ]; then docker kill ${name}; else docker rm -f ${name}; fi`,
  };
  const labels = { own: 'own redis-server', docker: 'Docker' };
  let server = startGuarded(commands[kind], folder, ends[kind]);
  const ready = async () => {
    try {
      await untilReady(url, server.ended, `Redis (${labels[kind]})`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  };
  await ready();
  say(`Redis started on 127.0.0.1:${port} (${labels[kind]})`);
  return {
    url,
    port,
    kind,
    async restart(whileAway) {
      const mark = join(folder, 'keep');
      writeFileSync(mark, '');
      await server.stop();
      rmSync(mark);
      await whileAway?.();
      const again = { own: commands.own, docker: ['docker', 'start', '-a', name] };
      server = startGuarded(again[kind], folder, ends[kind]);
      await ready();
    },
    stop: () => server.stop(),
  };
}

const READY_WITHIN_MS = 30_000;

export async function untilReady(
  url: string,
  ended: Promise<string>,
  what: string,
  login: RedisOptions = {},
): Promise<void> {
  let log: string | undefined;
  void ended.then((text) => {
    log = text;
  });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, ...login });
    client.on('error', () => {}); // the same error rejects connect()
    try {
      await client.connect();
      await client.ping();
      return;
    } catch (error) {
      if (log !== undefined) throw new Error(`${what} ended while starting:\n${log}`);
      if (performance.now() > deadlineMs) throw new Error(`${what} does not answer at ${url}`, { cause: error });
    } finally {
      client.disconnect();
    }
    await sleep(30);
  }
}

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisOptions } from 'ioredis';
import type { Authority, Certificate } from './certificates.ts';
import { startGuarded } from './guarded.ts';
import { ensureInstalled, freePorts, say } from './installed.ts';
import { untilReady } from './redis.ts';

export interface SecuredRedis {
  /** Without user and password. */
  url: string;
  /** Of the user `admin`, who may do everything. */
  admin: RedisOptions;
  stop(): Promise<void>;
}

/** A local redis-server that speaks TLS only, wants client certificates, and lets nobody in but `admin`. */
export async function startSecuredRedis(
  authority: Authority,
  server: Certificate,
  { client, password }: { client: RedisOptions['tls']; password: string },
): Promise<SecuredRedis> {
  await ensureInstalled('redis-server', ['redis-server']);
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-redis-'));
  const port = (await freePorts(1))[0]!;
  const settings = [
    'bind 127.0.0.1',
    'port 0',
    `tls-port ${port}`,
    `tls-cert-file ${server.certFile}`,
    `tls-key-file ${server.keyFile}`,
    `tls-ca-cert-file ${authority.caFile}`,
    'tls-auth-clients yes',
    `dir ${folder}`,
    'save ""',
    'user default off',
    `user admin on ">${password}" ~* &* +@all`,
  ];
  const file = join(folder, 'redis.conf');
  writeFileSync(file, `${settings.join('\n')}\n`);
  const url = `rediss://127.0.0.1:${port}`;
  const admin: RedisOptions = { username: 'admin', password, tls: client! };
  const process = startGuarded(['redis-server', file], folder);
  try {
    await untilReady(url, process.ended, 'Redis with TLS', admin);
  } catch (error) {
    await process.stop();
    throw error;
  }
  say(`Redis with TLS started on 127.0.0.1:${port}`);
  return { url, admin, stop: () => process.stop() };
}

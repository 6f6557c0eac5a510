import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { readTls, TlsFiles } from '../tls-files.ts';
import { parseRedisAddress } from './address.ts';
import type { RedisClient } from './client.ts';
import { checkServer } from './server-check.ts';
import { watchSilence } from './silence.ts';

/** Two connections: probes must not queue behind the writes of a connection that hangs. */
export interface RedisConnections {
  readonly state: RedisClient;
  readonly probe: RedisClient;
  readonly readyTimeoutMs: number;
  close(): void;
}

export const RedisSettings = z.strictObject({
  url: z.string().describe('redis://, rediss://, redis+sentinel://A,B/NAME or redis+cluster://A,B'),
  username: z.string().optional().describe('Instead of the one in the URL.'),
  password: z.string().optional().describe('Instead of the one in the URL.'),
  sentinelPassword: z.string().optional(),
  connectTimeoutMs: z.int().positive().default(1000),
  commandTimeoutMs: z.int().positive().default(1000).describe('After it the outcome of a command is unknown.'),
  silenceTimeoutMs: z.int().positive().default(3000).describe('A server that is silent for so long is left.'),
  readyTimeoutMs: z.int().positive().default(5000).describe('How long start and acquire wait for a connection.'),
  tls: TlsFiles.optional(),
});
export type RedisSettings = z.infer<typeof RedisSettings>;

/** How long a closing socket waits for the other side. */
const DISCONNECT_WITHIN_MS = 200;
const RECONNECT_AT_MOST_MS = 1000;

/**
 * Connects, waits, and refuses a server that may forget state. `onError` gets what happens to a connection later;
 * the clients reconnect for ever on their own.
 */
export async function connectRedis(
  settings: RedisSettings,
  onError: (error: Error) => void,
): Promise<RedisConnections> {
  const state = openClient(settings, onError);
  const probe = openClient(settings, onError);
  const watches = [state, probe].map((redis) => watchSilence(redis, settings.silenceTimeoutMs, onError));
  const close = () => {
    for (const end of watches) end();
    state.disconnect();
    probe.disconnect();
  };
  try {
    await Promise.all([state, probe].map((redis) => untilReady(redis, settings.readyTimeoutMs)));
    await checkServer(state);
  } catch (error) {
    close();
    throw error;
  }
  return { state, probe, readyTimeoutMs: settings.readyTimeoutMs, close };
}

/** Rejects with the last thing that went wrong when the client is not ready in time. */
export async function untilReady(redis: RedisClient, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  let last = new Error('no answer');
  const problem = (error: Error) => {
    last = error;
  };
  redis.on('error', problem);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        redis.off('ready', ready);
        reject(new Error(`Redis is not ready after ${timeoutMs} ms: ${last.message}`, { cause: last }));
      }, timeoutMs);
      const ready = () => {
        clearTimeout(timer);
        resolve();
      };
      redis.once('ready', ready);
    });
  } finally {
    redis.off('error', problem);
  }
}

function openClient(settings: RedisSettings, onError: (error: Error) => void): RedisClient {
  const { kind, tls, username, password, hosts, primary, database } = parseRedisAddress(settings.url);
  const user = settings.username ?? username;
  const secret = settings.password ?? password;
  const tlsOptions = tls ? { tls: readTls(settings.tls ?? {}) } : {};
  const options: RedisOptions = {
    // A command without an answer may have been executed. Whoever repeats it must know that: nobody but the caller.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    disconnectTimeout: DISCONNECT_WITHIN_MS,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt - 1, 10), RECONNECT_AT_MOST_MS),
    // 1: reconnect, and the command fails. A primary that became a replica must be left, not asked again.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 1 : false),
    ...(user === undefined ? {} : { username: user }),
    ...(secret === undefined ? {} : { password: secret }),
    ...tlsOptions,
    // CLIENT SETINFO would be one more command to allow, and a denial in the log of the server without it.
    disableClientInfo: true,
  };
  const redis =
    kind === 'cluster'
      ? new Cluster(hosts, {
          redisOptions: options,
          enableOfflineQueue: false,
          // 0: a command whose connection closed is not sent again behind the caller's back.
          retryDelayOnFailover: 0,
          slotsRefreshTimeout: settings.connectTimeoutMs,
          clusterRetryStrategy: (attempt) => Math.min(50 * attempt, RECONNECT_AT_MOST_MS),
          // Managed clusters answer with addresses, and their certificates name hosts.
          ...(tls ? { dnsLookup: (address, done) => done(null, address) } : {}),
        })
      : new Redis({
          ...options,
          db: database,
          ...(kind === 'sentinel'
            ? {
                sentinels: hosts,
                name: primary!,
                failoverDetector: true,
                sentinelCommandTimeout: settings.commandTimeoutMs,
                sentinelRetryStrategy: (attempt: number) => Math.min(50 * attempt, RECONNECT_AT_MOST_MS),
                ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions.tls! } : {}),
                ...(settings.sentinelPassword === undefined ? {} : { sentinelPassword: settings.sentinelPassword }),
              }
            : hosts[0]!),
        });
  redis.on('error', onError);
  return redis;
}

import { createRequire } from 'node:module';
import { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { kafkajsLogging } from '../telemetry/log.ts';
import { readTls, type TlsFiles } from '../tls-files.ts';
import { type KafkaLogin, saslOf } from './login.ts';

export interface KafkaClientOptions {
  brokers: readonly string[];
  clientId: string;
  /** Absent: without TLS. */
  tls?: TlsFiles;
  sasl?: KafkaLogin;
  logger: Logger;
}

/** About ten seconds in all, then the caller hears of it: it knows what waiting costs. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 2000, multiplier: 2, factor: 0.2, retries: 7 };

/** The client that every producer, consumer and admin of this process is made from. */
export function createKafka({ brokers, clientId, tls, sasl, logger }: KafkaClientOptions): Kafka {
  endIdleSpin(logger);
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...(tls === undefined ? {} : { ssl: readTls(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
    connectionTimeout: 5000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    retry: RETRY,
    ...kafkajsLogging(logger),
  });
}

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let idleSpinEnded: 'not_yet' | 'patched' | 'impossible' = 'not_yet';

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay on every idle connection: some 800 wake-ups a second, and a
 * warning on Node 24. A queue with nothing pending and no throttling has nothing to check; the next request asks.
 */
function endIdleSpin(logger: Logger): void {
  if (idleSpinEnded !== 'not_yet') return;
  const queue = requestQueue();
  if (queue === undefined) {
    idleSpinEnded = 'impossible';
    logger.warn('idle connections cost CPU: kafkajs is not 2.2.4 inside');
    return;
  }
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
  idleSpinEnded = 'patched';
}

function requestQueue(): RequestQueue | undefined {
  try {
    const loaded: { prototype?: RequestQueue } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
    const queue = loaded.prototype;
    return typeof queue?.scheduleCheckPendingRequests === 'function' ? queue : undefined;
  } catch {
    return undefined; // another kafkajs, without that file: it works, it only wakes up more often
  }
}

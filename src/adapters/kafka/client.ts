import { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { kafkajsLogging } from '../telemetry/log.ts';
import { readTls, type TlsFiles } from '../tls-files.ts';
import { endIdleSpin } from './kafkajs.ts';
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

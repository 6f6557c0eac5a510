import type { Kafka, Producer, ProducerBatch, ProducerConfig } from 'kafkajs';
import type { Clock } from '../../ports.ts';
import { Partitioners } from './kafkajs.ts';

/** About ten seconds in all, then the caller hears of it. */
const RETRY = { firstMs: 100, multiplier: 2, maxMs: 2000, times: 7 };

/** Sends as `sendWhole` needs it: kafkajs tries once. */
export function wholeProducer(kafka: Kafka, config: ProducerConfig = {}): Producer {
  return kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    ...config,
    retry: { retries: 0 },
  });
}

/**
 * Fulfilled when all of it is acknowledged by all in-sync replicas; after an error all of it is sent again, so some may
 * stand in the log twice. The retries of kafkajs would pass over brokers that have answered once: what has a new leader
 * among them is not sent any more, and the call is fulfilled (issue 1303).
 */
export async function sendWhole(producer: Producer, batch: Omit<ProducerBatch, 'acks'>, clock: Clock): Promise<void> {
  for (
    let failed = 0, delayMs = RETRY.firstMs;
    ;
    failed++, delayMs = Math.min(delayMs * RETRY.multiplier, RETRY.maxMs)
  ) {
    try {
      await producer.sendBatch({ ...batch, acks: -1 });
      return;
    } catch (error) {
      if (failed === RETRY.times || !mayPass(error)) throw error;
      await clock.sleep(delayMs);
    }
  }
}

/** kafkajs says in this way that it would have tried again. */
function mayPass(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSNumberOfRetriesExceeded';
}

/** All of a request may go to one partition: half of what the smallest topic takes, so that only a single item can be too large. */
const REQUEST_BYTES_MAX = 256 * 1024;

/** The items in their order, as many in each request as its bytes allow. */
export function* inRequests<T>(items: Iterable<T>, bytesOf: (item: T) => number): Generator<T[]> {
  let request: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (request.length > 0 && bytes + size > REQUEST_BYTES_MAX) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(item);
    bytes += size;
  }
  if (request.length > 0) yield request;
}

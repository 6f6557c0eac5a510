import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import type { Logger } from 'pino';

/**
 * What is taken from kafkajs, and what is changed in it. The other workarounds are where they work: README.md of this
 * folder lists all of them with their issues and tests.
 */

// The CommonJS of kafkajs names only `Kafka` in a way that Node sees.
export const { AclResourceTypes, ConfigResourceTypes, KafkaJSAggregateError, KafkaJSProtocolError, Partitioners } =
  kafkajs;

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let idleSpinEnded: 'not_yet' | 'patched' | 'impossible' = 'not_yet';

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay on every idle connection (issue 1751): some 800 wake-ups a
 * second, and a warning on Node 24. A queue with nothing pending and no throttling has nothing to check; the next
 * request asks.
 */
export function endIdleSpin(logger: Logger): void {
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

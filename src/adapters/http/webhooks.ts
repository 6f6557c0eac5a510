import { createHmac } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../ports.ts';

export interface WebhookOptions {
  urls: readonly string[];
  secret: string;
  clock: Clock;
  logger: Logger;
}

/** What is told. Chat tools show `text`; programs read the rest. */
export interface Notice {
  /** The same when it is sent again. */
  id: string;
  text: string;
  [field: string]: unknown;
}

const ATTEMPTS = 10;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 300_000;
const TIMEOUT_MS = 10_000;
const WAITING_MAX = 1000;
const AGAIN = new Set([408, 425, 429]);

export const TIMESTAMP_HEADER = 'firebreak-timestamp';
export const SIGNATURE_HEADER = 'firebreak-signature';

/** `v1=` and the HMAC-SHA-256 in hex of `TIMESTAMP.BODY`. Receivers refuse a timestamp that is minutes old. */
export function webhookSignature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/**
 * Tells others, each address in order and for itself. At least once: what was not answered with 2xx is sent again, later
 * and later, for some nine minutes. What waits is bounded; the oldest gives way, with an error in the log.
 */
export class Webhooks {
  readonly #options: WebhookOptions;
  readonly #stopped = new AbortController();
  readonly #queues: { url: string; waiting: Notice[]; sending: Promise<void> }[];

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#queues = options.urls.map((url) => ({ url, waiting: [], sending: Promise.resolve() }));
  }

  tell(notice: Notice): void {
    for (const queue of this.#queues) {
      queue.waiting.push(notice);
      if (queue.waiting.length > WAITING_MAX) this.#lost(queue.url, queue.waiting.shift()!, 'too many wait');
      if (queue.waiting.length === 1) queue.sending = this.#drain(queue.url, queue.waiting);
    }
  }

  /** What waits is given up. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#queues.map(({ sending }) => sending));
  }

  async #drain(url: string, waiting: Notice[]): Promise<void> {
    for (let notice = waiting[0]; notice !== undefined; notice = waiting[0]) {
      const failure = await this.#deliver(url, notice);
      if (this.#stopped.signal.aborted) return;
      if (failure !== undefined) this.#lost(url, notice, failure);
      if (waiting[0] === notice) waiting.shift();
    }
  }

  /** Why it was given up; undefined when it arrived. */
  async #deliver(url: string, notice: Notice): Promise<string | undefined> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopped;
    let failure = '';
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      const answer = await this.#send(url, notice, attempt);
      if (answer.ok) return undefined;
      failure = answer.failure;
      if (answer.again === 'never' || attempt === ATTEMPTS) break;
      logger.warn(
        { notice: notice.id, host: new URL(url).host, attempt, failure },
        'webhook not delivered: again later',
      );
      await clock.sleep(Math.min(RETRY_MIN_MS * 2 ** (attempt - 1), RETRY_MAX_MS), signal);
    }
    return failure;
  }

  async #send(
    url: string,
    notice: Notice,
    attempt: number,
  ): Promise<{ ok: true } | { ok: false; failure: string; again: 'later' | 'never' }> {
    const { secret, clock } = this.#options;
    const body = JSON.stringify(notice);
    const timestamp = String(Math.floor(clock.nowMs() / 1000));
    try {
      const { ok, status } = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'error',
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: {
          'content-type': 'application/json',
          [TIMESTAMP_HEADER]: timestamp,
          [SIGNATURE_HEADER]: webhookSignature(secret, timestamp, body),
          'firebreak-attempt': String(attempt),
        },
      });
      if (ok) return { ok: true };
      const again = status >= 500 || AGAIN.has(status) ? 'later' : 'never';
      return { ok: false, failure: `status ${status}`, again };
    } catch (error) {
      return { ok: false, failure: (error as Error).message, again: 'later' };
    }
  }

  /** The path of an address may be its secret, so only the host is logged. */
  #lost(url: string, { id }: Notice, failure: string): void {
    this.#options.logger.error({ notice: id, host: new URL(url).host, failure }, 'webhook given up');
  }
}

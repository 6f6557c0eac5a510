import type { ActionEvent } from '../../domain/event.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** How long after a failed call the same call is its retry. */
export const RETRY_WITHIN_MS = 5 * 60_000;
const CALLS_MAX = 16;
/** Bytes of one call at most. */
export const FAILED_CALL_BYTES = 32;
export const FAILED_CALLS_BYTES = CALLS_MAX * FAILED_CALL_BYTES;

interface FailedCall {
  key: number;
  /** When what it added was added: its first failure that counted. */
  sinceMs: number;
  /** Its last failure. */
  lastMs: number;
  weight: number;
}

/**
 * The last calls that failed and what each of them added to one feature, to know a retry. When more than 16 are open
 * the oldest is forgotten, and its retry counts: the bound errs towards seeing more.
 */
export class FailedCalls {
  #calls: FailedCall[] = [];

  /**
   * Notes a call. Answers what the same call added when it failed, if that is at most five minutes ago and still stands
   * in the window: then this one is its retry. A success closes the matter: the same call after it counts again.
   */
  retried({ key, failed }: Call, weight: number, nowMs: number, withinMs: number): number | undefined {
    const at = this.#calls.findIndex((one) => one.key === key);
    const before = at >= 0 ? this.#calls.splice(at, 1)[0]! : undefined;
    const stands =
      before !== undefined && nowMs - before.lastMs <= RETRY_WITHIN_MS && before.sinceMs > nowMs - withinMs;
    if (failed) {
      const sinceMs = stands ? before.sinceMs : nowMs;
      this.#calls.push({ key, sinceMs, lastMs: nowMs, weight: stands ? Math.max(before.weight, weight) : weight });
      if (this.#calls.length > CALLS_MAX) this.#calls.shift();
    }
    return stands ? before.weight : undefined;
  }

  /** Forgets the older half: their retries count. */
  coarsen(): void {
    this.#calls.splice(0, this.#calls.length >> 1);
  }

  write(to: ByteWriter): void {
    to.count(this.#calls.length);
    for (const { key, sinceMs, lastMs, weight } of this.#calls) {
      to.count(key);
      to.count(sinceMs);
      to.count(lastMs - sinceMs);
      to.number(weight);
    }
  }

  static read(from: ByteReader): FailedCalls {
    const failed = new FailedCalls();
    const size = from.length();
    for (let i = 0; i < size; i++) {
      const key = from.count();
      const sinceMs = from.count();
      failed.#calls.push({ key, sinceMs, lastMs: sinceMs + from.count(), weight: from.number() });
    }
    return failed;
  }
}

/** One call, as retries know it. */
export class Call {
  readonly failed: boolean;
  readonly #event: ActionEvent;
  #key: number | undefined;

  private constructor(event: ActionEvent) {
    this.failed = event.outcome === 'error' || event.outcome === 'denied';
    this.#event = event;
  }

  /** Undefined without `argsDigest`: then nothing is a retry. */
  static of(event: ActionEvent): Call | undefined {
    return event.argsDigest === undefined ? undefined : new Call(event);
  }

  /** What the same call has in common. */
  get key(): number {
    const { tool, toolServer, resource, argsDigest } = this.#event;
    this.#key ??= fingerprint(
      `${tool}\0${toolServer ?? ''}\0${resource?.type ?? ''}\0${resource?.id ?? ''}\0${argsDigest}`,
    );
    return this.#key;
  }
}

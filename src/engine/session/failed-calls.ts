import type { ActionEvent } from '../../domain/event.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** How long after a failed call the same call is its retry. */
export const RETRY_WITHIN_MS = 5 * 60_000;
const CALLS_MAX = 16;

interface FailedCall {
  call: number;
  atMs: number;
  outcome: 'error' | 'denied';
}

/**
 * The last calls of a session that failed, to know a retry. When more than 16 are open the oldest is forgotten, and
 * its retry counts: the bound errs towards seeing more.
 */
export class FailedCalls {
  #calls: FailedCall[] = [];

  /**
   * Notes the call. Answers the outcome of the failed call that this one repeats, or undefined when it is no retry.
   * A success closes the matter: the same call after it counts again. Without `argsDigest` nothing is a retry.
   */
  note(event: ActionEvent, nowMs: number): 'error' | 'denied' | undefined {
    const { outcome, argsDigest } = event;
    const failed = outcome === 'error' || outcome === 'denied';
    if (argsDigest === undefined || (!failed && this.#calls.length === 0)) return undefined;
    const call = callOf(event, argsDigest);
    const at = this.#calls.findIndex((one) => one.call === call);
    const before = at >= 0 ? this.#calls.splice(at, 1)[0] : undefined;
    if (failed) {
      this.#calls.push({ call, atMs: nowMs, outcome });
      if (this.#calls.length > CALLS_MAX) this.#calls.shift();
    }
    return before !== undefined && nowMs - before.atMs <= RETRY_WITHIN_MS ? before.outcome : undefined;
  }

  write(to: ByteWriter): void {
    to.count(this.#calls.length);
    for (const { call, atMs, outcome } of this.#calls) {
      to.count(call);
      to.count(atMs);
      to.flag(outcome === 'denied');
    }
  }

  static read(from: ByteReader): FailedCalls {
    const failed = new FailedCalls();
    const size = from.count();
    for (let i = 0; i < size; i++) {
      failed.#calls.push({ call: from.count(), atMs: from.count(), outcome: from.flag() ? 'denied' : 'error' });
    }
    return failed;
  }
}

function callOf({ tool, toolServer, resource }: ActionEvent, argsDigest: string): number {
  return fingerprint(`${tool}\0${toolServer ?? ''}\0${resource?.type ?? ''}\0${resource?.id ?? ''}\0${argsDigest}`);
}

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Beyond it Kafka and the enforcers have given this process up long ago, and nobody but its supervisor can mend it. */
const BLOCKED_MS = 20_000;

/** What the thread is told. */
export interface Watch {
  /** Counted up by the event loop. */
  beats: Int32Array;
  beatMs: number;
  blockedMs: number;
}

/** This file is `watchdog.ts` or the built `watchdog.js`, and the worker beside it has the same kind of name. */
const ENTRY = new URL(`./watchdog-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Kills this process when its event loop has not turned for so long: a loop without end in the main thread stops every
 * timer there, so another thread has to look. SIGKILL: whatever the main thread still holds must not be written.
 */
export function startWatchdog(blockedMs = BLOCKED_MS): void {
  const beatMs = blockedMs / 20;
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const watch: Watch = { beats, beatMs, blockedMs };
  // A thread with little of its own: it does nothing but compare numbers.
  new Worker(ENTRY, { workerData: watch, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref();
  setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
}

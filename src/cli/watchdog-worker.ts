import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import type { Watch } from './watchdog.ts';

const STDERR = 2;

const { beats, beatMs, blockedMs } = workerData as Watch;
let seen = Atomics.load(beats, 0);
let silentMs = 0;
let lookedMs = performance.now();
while (silentMs <= blockedMs) {
  await sleep(beatMs);
  const nowMs = performance.now();
  // A process that was stopped and goes on was not blocked: the time that this thread missed, too, does not count.
  silentMs += Math.min(nowMs - lookedMs, 2 * beatMs);
  lookedMs = nowMs;
  const found = Atomics.load(beats, 0);
  if (found !== seen) silentMs = 0;
  seen = found;
}
const msg = `the event loop has not turned for ${Math.round(silentMs)} ms: killed, to be started again`;
writeSync(STDERR, `${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), msg })}\n`);
process.kill(process.pid, 'SIGKILL');

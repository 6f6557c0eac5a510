// Loaded by each analyzer of a run: SIGUSR2 blocks its event loop for a while, SIGHUP steps its wall clock, forward and back.
const BLOCKED_MS = 45_000;
const STEP_MS = 3_600_000;

process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);
});

const now = Date.now;
const steps = [STEP_MS, -STEP_MS, 0];
let shiftMs = 0;
Date.now = () => now() + shiftMs;
process.on('SIGHUP', () => {
  shiftMs = steps.shift() ?? 0;
  steps.push(shiftMs);
});

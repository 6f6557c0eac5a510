// A process of `simulate`: runs the seeds that it is sent, and answers which of them came to something else.
import { runSchedule } from './schedule.ts';
import type { Fault } from './verdict.ts';

export interface Order {
  from: number;
  count: number;
}
export interface Answer extends Order {
  failed: { seed: number; faults: Fault[] }[];
}

// A failure is told by its seed; traces of the many errors that are part of the play cost a fifth of the time.
Error.stackTraceLimit = 0;

// Ctrl-C and the like go to the parent, too: it ends its workers when it has said what was counted.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit()); // nobody counts any more

process.on('message', async ({ from, count }: Order) => {
  const failed: Answer['failed'] = [];
  for (let seed = from; seed < from + count; seed++) {
    const faults = await runSchedule(seed);
    if (faults.length > 0) failed.push({ seed, faults });
  }
  process.send!({ from, count, failed } satisfies Answer);
});

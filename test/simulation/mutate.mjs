// Removes one protective line at a time and runs schedules until one fails. Prints a line of JSON for each.
import { build } from './build.mjs';

const SCHEDULES_MAX = 3000;
Error.stackTraceLimit = 0;

const { MUTATIONS } = await import(build('test/simulation/mutations.ts'));
for (const [at, { name, ...change }] of MUTATIONS.entries()) {
  const { runSchedule } = await import(build('test/simulation/schedule.ts', `mutation-${at}`, change));
  let faults = [];
  let seed = 0;
  while (faults.length === 0 && seed < SCHEDULES_MAX) faults = await runSchedule(++seed);
  console.log(
    JSON.stringify({
      name,
      schedules: seed,
      found: faults[0] ? `${faults[0].kind}: ${faults[0].what.slice(0, 120)}` : null,
    }),
  );
}

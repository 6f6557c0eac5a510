import { expect, it } from 'vitest';
import { BEHAVIOURS, type Behaviour, enforcementRun, type Fate } from './enforcement.ts';

const RUNS = Number(process.env['FIREBREAK_RANDOM_RUNS'] ?? 60);
const FIRST = Number(process.env['FIREBREAK_RANDOM_SEED'] ?? 1) * 100_000;

it(`every kill that is not enforced is found, and people are called: ${RUNS} runs`, {
  timeout: 60_000 + RUNS * 1000,
}, async () => {
  const missed: string[] = [];
  const called: string[] = [];
  const left: string[] = [];
  const fates: Fate[] = [];
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    for (const fate of await enforcementRun(seed)) {
      fates.push(fate);
      const { behaviour, layered, stopped, early, alarms, session } = fate;
      if (!stopped && alarms.size === 0) missed.push(`seed ${seed} ${session} ${behaviour}`);
      // Who obeys and is heard gives no cause to call anybody.
      const sound = behaviour === 'prompt' || behaviour === 'duplicating';
      if (sound && (!stopped || alarms.has('command_escalated'))) called.push(`seed ${seed} ${session} ${behaviour}`);
      // A second class that is sound stops whatever the first leaves running, and not before it is asked to.
      if (layered && (early || (!stopped && behaviour !== 'lying'))) left.push(`seed ${seed} ${session} ${behaviour}`);
    }
  }
  expect({ missed, called, left }).toEqual({ missed: [], called: [], left: [] });
  // It was there to be found.
  const unenforced = (behaviour: Behaviour) => fates.some((fate) => fate.behaviour === behaviour && !fate.stopped);
  const seen = BEHAVIOURS.filter(unenforced);
  if (RUNS >= 60) expect(seen).toEqual(expect.arrayContaining(['offline', 'lying', 'failing', 'unsupported']));
  const second = fates.filter(({ layered, stopped, alarms }) => layered && stopped && alarms.has('command_escalated'));
  if (RUNS >= 60) expect(second.length).toBeGreaterThan(0);
  const running = fates.filter(({ stopped }) => !stopped);
  console.log(
    `${RUNS} runs, ${fates.length} kills, ${second.length} by the second class, ${running.length} not enforced, 0 not found`,
  );
});

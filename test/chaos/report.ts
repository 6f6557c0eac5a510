import type { Random } from './fault.ts';
import type { Findings } from './manifest.ts';

/** How a run speaks, and its chance. */
export interface Told {
  say(line: string): void;
  random: Random;
  seed: number;
  /** How many a scenario that counts them begins. */
  sessions: number;
}

/** Prints what the verifier counted; answers what it found wrong. */
export function report(found: Findings, { say }: Told): string[] {
  const { records, actions, sessions, poison, commands, delayMs } = found;
  say(
    `  ${records} records, ${actions} actions of ${sessions} sessions, ${poison} quarantined; ` +
      `${commands.distinct} commands of ${commands.expected} expected, ${commands.published - commands.distinct} said again; ` +
      `a command ${delayMs.p50} ms after its cause, p99 ${delayMs.p99}, at most ${delayMs.max}`,
  );
  const more = found.faultCount - found.faults.length;
  return more > 0 ? [...found.faults, `and ${more} more`] : found.faults;
}

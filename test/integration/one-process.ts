import { expect } from 'vitest';
import type { Deployment } from './deployment.ts';

/** Final states and command ids must be those of one process over the same log, byte for byte. */
export async function expectOneProcess(deployment: Deployment, events: number): Promise<void> {
  const oracle = await deployment.oracle();
  let judged = 0;
  for (const [partition, wanted] of oracle.entries()) {
    const found = await deployment.stored(partition);
    expect(differences(found.sessions, wanted.sessions), `sessions of partition ${partition}`).toEqual([]);
    expect(JSON.parse(found.partition)).toEqual(JSON.parse(wanted.partition));
    const { judged: once, afterKill, repeated } = JSON.parse(wanted.partition).accounting;
    judged += once + afterKill;
    expect(repeated).toBe(0);
  }
  expect(judged).toBe(events);
  const { distinct, published } = await deployment.commandIds();
  expect(distinct).toEqual(oracle.flatMap((one) => one.commands).sort());
  expect(distinct.length).toBeGreaterThan(20);
  console.log(
    `${events} events judged once, ${distinct.length} commands, ${published - distinct.length} published again`,
  );
}

/** Sessions whose bytes are not the same, with the first place where they part: a diff of all would be megabytes. */
function differences(found: Record<string, string>, wanted: Record<string, string>): string[] {
  return [...new Set([...Object.keys(found), ...Object.keys(wanted)])].flatMap((id) => {
    const a = found[id] ?? '';
    const b = wanted[id] ?? '';
    if (a === b) return [];
    // Behind the header, whose checksum only says that something differs.
    let at = 64;
    while (at < a.length && a[at] === b[at]) at++;
    return [
      `${id}: byte ${at >> 1} of ${a.length >> 1} and ${b.length >> 1}: ${a.slice(at, at + 40)} / ${b.slice(at, at + 40)}`,
    ];
  });
}

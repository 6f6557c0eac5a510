import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/adapters/memory/memory-state.ts';
import { mulberry } from '../integration/traffic.ts';
import { bodyOf, type Process, World } from './world.ts';

const SCHEDULES = 300;
const FAULTS: Fault[] = ['refused', 'reply_lost', 'late', 'twice'];
const POINTS = ['before', 'halfway', 'after'] as const;
const SETTINGS = { killMarkMs: 30 * 60_000, idleEndMs: 5 * 60_000 };

/** What the world does to the processes of one schedule; each seed is another one. */
async function runSchedule(seed: number): Promise<World> {
  const random = mulberry(seed);
  const upTo = (count: number) => Math.floor(random() * count);
  const world = new World();
  const delays = () => upTo(3);
  const policies = [
    await world.policy(bodyOf({ watch: 'n > 2', pause: 'n > 4', kill: 'n > 7' }, SETTINGS)),
    await world.policy(bodyOf({ watch: 'n > 1', pause: 'n > 5', kill: 'n > 6' }, SETTINGS)),
  ];
  const interval = random() < 0.3 ? 0 : 1000;
  const start = () => world.process({ checkpointIntervalMs: interval, retentionMs: 40 * 60_000 }, delays);
  const processes: Process[] = [start()];
  if (random() < 0.8) world.activate(policies[0]!);
  const happenings: [weight: number, happen: () => void][] = [
    [
      12,
      () => {
        for (let i = upTo(12); i >= 0; i--) world.act(`s-${upTo(6)}`, { action: random() < 0.7 ? 'delete' : 'read' });
      },
    ],
    [1, () => world.garbage()],
    [1, () => world.activate(policies[upTo(2)]!)],
    [2, () => world.state.failNext(FAULTS[upTo(4)]!)],
    [2, () => world.outlet.failNext(new Error('broker away'), POINTS[upTo(3)]!)],
    [2, () => processes.at(-1)!.dieAt(upTo(12), random() < 0.5 ? 'before' : 'after')],
    [1, () => processes.at(-1)!.die()],
    [1, () => processes.at(-1)!.lose()],
    [1, () => void processes.push(start())], // the one before does not know yet, and goes on
    [1, () => world.state.loseWrites(Math.min(upTo(5), world.state.remembered))],
    [1, () => world.state.deliver()],
    [0.3, () => world.state.flush()],
  ];
  for (let turn = 0; turn < 40; turn++) {
    weighted(happenings, random())();
    const running = processes.filter(({ dead }) => !dead).slice(-2);
    if (running.length === 0 || running.at(-1)!.dead) processes.push(start());
    const one = running[upTo(running.length)] ?? processes.at(-1)!;
    const delivering = one.deliver(1 + upTo(25));
    await world.clock.advance([0, 400, 1000, 2500, 90_000][upTo(5)]!);
    await delivering;
  }
  // All who are left are gone, what is on its way arrives, and one process brings it to the end.
  for (const one of processes) one.die();
  world.state.deliver();
  await setImmediate();
  const last = start();
  for (let seen = -1; seen !== world.high; ) {
    seen = world.high;
    await last.drain();
    await world.clock.advance(1500); // what the owner says at intervals
    for (let i = 0; i < 20; i++) await setImmediate();
  }
  await last.stop();
  return world;
}

function weighted(choices: readonly (readonly [weight: number, happen: () => void])[], chance: number): () => void {
  let left = chance * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, happen] of choices) {
    left -= weight;
    if (left < 0) return happen;
  }
  return choices[0]![1];
}

describe('any schedule of crashes, zombies, faults and losses', () => {
  const seeds = Array.from({ length: SCHEDULES / 50 }, (_, i) => i * 50);
  it.each(seeds)('comes to what one process without failures comes to: 50 seeds from %i', async (from) => {
    for (let seed = from; seed < from + 50; seed++) {
      const world = await runSchedule(seed);
      const wanted = world.oracle();
      const { next, body, sessions } = await world.stored();
      const where = `seed ${seed}`;
      expect(next, where).toBe(world.high);
      expect(body?.state, where).toEqual(JSON.parse(wanted.partition));
      expect(sessions, where).toEqual(wanted.sessions);
      const commands = new Set(world.said('commands').map(({ command }) => command.id));
      expect([...commands].sort(), where).toEqual(wanted.commands);
      // While the log is read again only the latest of each session is said, so not all of them need to be there.
      const verdicts = new Set(world.said('verdicts').map(({ verdict }) => verdict.command));
      expect(
        [...verdicts].filter((id) => !wanted.commands.includes(id)),
        where,
      ).toEqual([]);
      expect(
        Object.values(wanted.verdicts).filter((id) => !verdicts.has(id)),
        where,
      ).toEqual([]);
      const { findings: _, refused, ...counts } = body!.state.accounting;
      const accounted = [...Object.values(counts), ...Object.values(refused)].reduce((sum, count) => sum + count, 0);
      expect(accounted, where).toBe(world.high);
      expect(world.fatal, where).toEqual([]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { snapshotOf } from '../../src/engine/session/snapshot.ts';
import { simulatedPolicies } from './policies.ts';
import { FATES, type Fate, POINTS, type Point, type Process } from './process.ts';
import { settle } from './schedule.ts';
import { faultsOf } from './verdict.ts';
import { World } from './world.ts';

const HOUR = 3_600_000;

/** Call number `at` of a scenario, counted over all its processes, meets this. */
interface Meeting {
  at: number;
  fate: Fate;
}

/** A world, and the one process at a time that reads its log, whatever happens to it. */
class Scenario {
  readonly world = new World();
  readonly met: Point[] = [];
  readonly #meeting: Meeting | undefined;
  #process: Process;

  constructor(meeting?: Meeting) {
    this.#meeting = meeting;
    for (const { plan } of simulatedPolicies) this.world.plans.push(plan);
    this.#process = this.#start();
  }

  /** Everything is read; then time passes, in which the owner saves, looks at the store, says what is due. */
  async goOn(recordsMax = 3): Promise<void> {
    await this.#drain(recordsMax);
    for (let i = 0; i < 2; i++) await this.world.clock.advance(1100);
    await this.#drain(recordsMax);
    // What was given up as lost arrives behind the back of whoever owns the partition by now.
    while (this.world.inFlight > 0) await this.world.deliverOne(0);
  }

  reassign(): void {
    this.#process.lose();
  }

  async end(): Promise<void> {
    do {
      await this.goOn();
      await settle(this.world, this.#process);
      await this.#process.stop();
    } while (this.#process.dead);
  }

  async activate(index: number): Promise<void> {
    const { activated, body } = simulatedPolicies[index]!;
    await this.world.library.put(body);
    this.world.activate(activated);
  }

  #start(): Process {
    const fates = (point: Point) => {
      this.met.push(point);
      return this.met.length === this.#meeting?.at ? this.#meeting.fate : undefined;
    };
    return this.world.process({ retentionMs: HOUR }, { fates, chunkSessions: 1 });
  }

  async #drain(recordsMax: number): Promise<void> {
    if (this.#process.dead) this.#process = this.#start();
    await this.#process.drain(recordsMax);
    if (this.#process.dead) await this.#drain(recordsMax);
  }
}

/** A life of a partition on a log that is whole. */
async function wholeLog(meeting?: Meeting): Promise<Scenario> {
  const scenario = new Scenario(meeting);
  const { world } = scenario;
  await scenario.activate(0);
  for (let i = 0; i < 6; i++) world.act(`s-${i % 2}`);
  await scenario.goOn();
  world.garbage();
  for (let i = 0; i < 4; i++) world.act(`s-${i}`);
  await scenario.goOn();
  scenario.reassign();
  await scenario.activate(1);
  for (let i = 0; i < 4; i++) world.act('s-1', { tool: `t${i}` });
  await scenario.goOn();
  world.leaptMs += HOUR / 2;
  world.act('s-3', { action: 'read' });
  await scenario.goOn();
  // Damaged: it has to be made anew from the log.
  world.state.tamper(0, ({ sessions }) => {
    for (const [id, bytes] of sessions)
      sessions.set(
        id,
        bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      );
  });
  scenario.reassign();
  world.act('s-3');
  world.act('s-0');
  await scenario.goOn();
  await scenario.end();
  return scenario;
}

/** The store is lost, and the log no longer holds its beginning. */
async function cutLog(meeting?: Meeting): Promise<Scenario> {
  const scenario = new Scenario(meeting);
  const { world } = scenario;
  const { body, activated } = simulatedPolicies[0]!;
  await world.library.put(body);
  world.act('s-0', { action: 'read' });
  world.control('state.restated.v1', { clockMs: 0, policy: activated, orders: [] });
  for (let i = 0; i < 9; i++) world.act(`s-${i % 2}`);
  world.log.deleteBefore(0, 1);
  const position = { topicId: 'T', partition: 0, offset: '1' };
  world.standing = [
    { session: 's-9', level: 'killed', command: 'cmd-9', rule: 'deletes', time: '2026-01-05T09:00:00.000Z', position },
  ];
  await scenario.goOn();
  await scenario.end();
  return scenario;
}

async function outcomeOf({ world }: Scenario) {
  const { sessions } = await world.stored();
  // Where a proof of publication stands in the log is a matter of the failure, and so is what names its offset.
  const told = Object.entries(sessions).map(([id, bytes]) => {
    const session = decodeSession(id, Buffer.from(bytes, 'hex'));
    const { lastOffset: _, ...snapshot } = snapshotOf(session);
    const { pause, issued } = session.standing ?? {};
    return [id, { ...snapshot, waitsFor: pause?.command, said: issued?.id, out: issued?.publishedMs }] as const;
  });
  return {
    sessions: Object.fromEntries(told),
    commands: [...new Set(world.said('commands').map(({ command }) => command.id))].sort(),
  };
}

/** Every call of a scenario at that point. */
function callsAt(point: Point, { met }: Scenario): number[] {
  return met.flatMap((one, i) => (one === point ? [i + 1] : []));
}

describe('each await on the outside', async () => {
  const whole = await wholeLog();
  const cut = await cutLog();
  const wanted = await outcomeOf(cut);

  it('is one of the list, and each of the list is met', () => {
    expect(new Set([...whole.met, ...cut.met])).toEqual(new Set(POINTS));
    expect(wanted.commands).not.toEqual([]);
    expect(Object.keys(wanted.sessions)).toContain('s-9');
  });

  describe.each(POINTS)('%s', (point) => {
    it.each(FATES)('%s', { timeout: 120_000 }, async (fate) => {
      for (const at of callsAt(point, whole)) {
        const scenario = await wholeLog({ at, fate });
        expect(scenario.met[at - 1]).toBe(point);
        const faults = await faultsOf(scenario.world);
        // The damage of the scenario itself is what is thrown away.
        expect(
          faults.filter(({ what }) => !what.startsWith('states thrown away')),
          `call ${at}`,
        ).toEqual([]);
      }
      for (const at of callsAt(point, cut)) {
        const scenario = await cutLog({ at, fate });
        expect(await outcomeOf(scenario), `call ${at} of the cut log`).toEqual(wanted);
      }
    });
  });
});

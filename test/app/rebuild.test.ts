import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Level } from '../../src/domain/level.ts';
import type { Verdict } from '../../src/domain/output.ts';
import type { PolicyActivated } from '../../src/domain/record.ts';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { bodyOf, World } from '../simulation/world.ts';

const HOUR = 3_600_000;
const BODY = bodyOf({ watch: 'n > 1', pause: 'n > 2', kill: 'n > 4' });

/** A world whose policy is active from the start, with so many deletions of one session. */
async function worldWith(deletions = 0): Promise<World & { policy_: PolicyActivated }> {
  const world = new World();
  const policy_ = await world.policy(BODY);
  world.activate(policy_);
  for (let i = 0; i < deletions; i++) world.act('s');
  return Object.assign(world, { policy_ });
}

function verdict(session: string, level: Level, offset: number, atMs: number): Verdict {
  const position = { topicId: 'T', partition: 0, offset: String(offset) };
  return { session, level, command: `cmd-${session}`, rule: 'test-rule', time: formatInstant(atMs), position };
}

async function sessionOf(world: World, id: string) {
  const bytes = (await world.stored()).sessions[id];
  return bytes === undefined ? undefined : decodeSession(id, Buffer.from(bytes, 'hex'));
}

function saidLevels(world: World): string[] {
  return world.said('verdicts').map(({ verdict: { session, level } }) => `${session} ${level}`);
}

describe('verdicts while the log is read again', () => {
  it.each([
    ['ends with the batch', 8],
    ['ends with a batch, and more follows', 4],
    ['ends in the middle of a batch', 5],
    ['ends behind the first record of the last batch', 7],
  ])('are held back to the committed offset, then the latest is said: the repetition %s', async (_what, committed) => {
    const world = await worldWith(7);
    world.committed.set(0, committed);
    const process = world.process();
    for (let next = 2; next < committed; next += 2) {
      await process.deliver(2);
      expect(saidLevels(world)).toEqual([]);
    }
    await process.drain(2);
    expect([...new Set(saidLevels(world))]).toEqual(committed === 4 ? ['s paused', 's killed'] : ['s killed']);
    expect(world.said('commands').map(({ command }) => command.action)).toEqual(['pause', 'kill']);
  });

  it('are not forgotten by an owner that comes in between, and no offset before the committed one is committed', async () => {
    const world = await worldWith(4);
    for (let i = 0; i < 10; i++) world.act('t', { action: 'read' });
    world.committed.set(0, 15);
    const first = world.process({ checkpointIntervalMs: 0 });
    await first.deliver(8);
    await first.stop();
    expect((await world.stored()).next).toBe(8);
    expect([saidLevels(world), world.committed.get(0)]).toEqual([[], 15]);
    const second = world.process();
    await second.deliver(4);
    expect(saidLevels(world)).toEqual([]);
    await second.drain();
    expect(saidLevels(world)).toEqual(['s paused']);
    await second.stop();
    expect((await world.stored()).body?.repetition).toBeUndefined();
  });
});

describe('a rebuild from the middle of the log', () => {
  /** Two days of log: the first is before the part that is judged again. */
  async function twoDays() {
    const world = await worldWith();
    await world.clock.advance(4 * 24 * HOUR);
    for (let i = 0; i < 5; i++) world.act('old');
    world.garbage();
    world.control('state.restated.v1', {
      clockMs: 0,
      policy: world.policy_,
      orders: [],
    });
    world.act('old');
    await world.clock.advance(36 * HOUR);
    world.log.deleteBefore(0, 2);
    return world;
  }

  it('finds the policy in what was restated, judges one lifetime, accounts for every record', async () => {
    const world = await twoDays();
    const { high } = world;
    for (let i = 0; i < 4; i++) world.act('new');
    world.garbage();
    const process = world.process();
    await process.drain(3);
    await process.stop();
    const { body, sessions, next } = await world.stored();
    expect(Object.keys(sessions)).toEqual(['new']);
    const { findings: _, refused, ...counts } = body!.state.accounting;
    expect([counts, refused]).toEqual([
      { judged: 4, repeated: 0, beforePolicy: 0, afterKill: 0, skipped: 6, control: 2 },
      { not_json: 1 },
    ]);
    expect(next).toBe(world.high);
    expect(world.said('quarantine').map(({ position }) => Number(position.offset))).toEqual([high + 4]);
    expect(world.messages(40)).toContain('no state found: rebuilding one lifetime');
  });

  it('may pause the sessions that were running at its start, not kill them', async () => {
    const world = await twoDays();
    for (let i = 0; i < 9; i++) world.act('running');
    await world.clock.advance(23.8 * HOUR);
    for (let i = 0; i < 9; i++) world.act('new');
    const process = world.process();
    await process.drain();
    await process.stop();
    expect(await sessionOf(world, 'new')).toMatchObject({ level: 'killed', degraded: false });
    expect(await sessionOf(world, 'running')).toMatchObject({ level: 'paused', degraded: true });
  });

  it('keeps who was paused or killed before it', async () => {
    const world = await twoDays();
    const atMs = world.clock.nowMs() - 30 * HOUR;
    world.standing = [
      verdict('dead', 'killed', 3, atMs),
      verdict('held', 'paused', 4, atMs),
      verdict('w', 'watch', 4, atMs),
    ];
    world.act('dead');
    for (let i = 0; i < 9; i++) world.act('held');
    const process = world.process();
    await process.drain(1);
    await process.stop();
    expect((await world.stored()).body!.state.accounting).toMatchObject({ afterKill: 1, judged: 9 });
    expect(await sessionOf(world, 'dead')).toMatchObject({ level: 'killed' });
    expect(await sessionOf(world, 'held')).toMatchObject({ level: 'paused', degraded: true });
    expect(await sessionOf(world, 'w')).toBeUndefined();
    expect(saidLevels(world)).toEqual([]);
  });

  it('kills where the log was when somebody killed, not before', async () => {
    const world = await twoDays();
    for (let i = 0; i < 6; i++) world.act('new');
    const killedAt = world.high - 2;
    world.standing = [verdict('new', 'killed', killedAt, world.clock.nowMs())];
    for (const recordsMax of [1, 100]) {
      world.state.flush();
      const process = world.process();
      await process.drain(recordsMax);
      await process.stop();
      const { body } = await world.stored();
      expect(body!.state.accounting).toMatchObject({ judged: 5, afterKill: 1 });
      expect(await sessionOf(world, 'new')).toMatchObject({ level: 'killed' });
    }
  });

  it('goes on from its own checkpoints', async () => {
    const world = await twoDays();
    for (let i = 0; i < 6; i++) world.act('new');
    world.standing = [verdict('new', 'killed', world.high - 2, world.clock.nowMs()), verdict('old', 'paused', 5, 0)];
    for (let i = 0; ; i++) {
      const process = world.process({ checkpointIntervalMs: 0 });
      // The part before the judged one is not saved, so the first owner has to get beyond it.
      const happened = await process.deliver(i === 0 ? 9 : 1);
      await process.stop();
      if (happened === 'at end') break;
      expect(happened).toBe('delivered');
    }
    const { body, next } = await world.stored();
    expect(next).toBe(world.high);
    expect(body!.state.accounting).toMatchObject({ judged: 5, afterKill: 1 });
    expect(await sessionOf(world, 'new')).toMatchObject({ level: 'killed' });
    expect(await sessionOf(world, 'old')).toMatchObject({ level: 'paused' });
  });

  it('begins anew when it did not get beyond the part that is not judged', async () => {
    const world = await twoDays();
    const first = world.process({ checkpointIntervalMs: 0 });
    expect(await first.deliver(3)).toBe('delivered');
    await first.stop();
    expect((await world.stored()).next).toBeUndefined();
  });

  it('saves who was killed also when nothing happens any more', async () => {
    const world = await twoDays();
    world.control('state.restated.v1', { clockMs: 0, policy: world.policy_, orders: [] });
    await world.clock.advance(48 * HOUR);
    world.standing = [verdict('dead', 'killed', 3, world.clock.nowMs() - 30 * HOUR)];
    const process = world.process();
    await process.deliver();
    await world.clock.advance(3000);
    await process.drain();
    await process.stop();
    const again = world.process();
    world.standing = [];
    world.act('dead');
    await again.drain();
    await again.stop();
    expect((await world.stored()).body!.state.accounting).toMatchObject({ afterKill: 1, judged: 0 });
  });

  it('says loudly, once, that the log names no policy any more, and survives timers without one', async () => {
    const world = await twoDays();
    world.log.deleteBefore(0, 8);
    world.standing = [verdict('dead', 'killed', 3, 0)];
    const process = world.process({ retentionMs: Number.POSITIVE_INFINITY, probeIntervalMs: HOUR });
    for (let i = 0; i < 3; i++) {
      world.act('new');
      await process.drain();
      await world.clock.advance(31 * 24 * HOUR);
    }
    expect(world.messages(50)).toEqual([expect.stringContaining('names no policy')]);
    expect(world.stats.beforePolicy).toBeGreaterThan(0);
  });
});

describe('a store that holds less than the group has committed', () => {
  /** One owner after another: each reads so many records, saves and commits after each, and dies. */
  async function own(world: World, ...counts: number[]): Promise<void> {
    for (const count of counts) {
      const process = world.process({ checkpointIntervalMs: 0 });
      for (let read = 0; read < count; read++) expect(await process.deliver(1)).toBe('delivered');
      process.die();
    }
  }

  it.each<[string, { none: number; older: number }, (world: World) => Promise<void> | void]>([
    ['nothing was lost', { none: 0, older: 0 }, () => {}],
    ['everything was lost', { none: 1, older: 0 }, ({ state }) => state.flush()],
    ['the last checkpoint was lost', { none: 0, older: 1 }, ({ state }) => state.loseWrites(1)],
    ['a checkpoint was lost before it was committed', { none: 0, older: 0 }, lastNotCommitted(1)],
    ['that one and the one before it were lost', { none: 0, older: 1 }, lastNotCommitted(2)],
    [
      'everything was lost, and the rebuild has not come to where it was: it is one loss',
      { none: 1, older: 0 },
      async (world) => {
        world.state.flush();
        await own(world, 2, 1);
      },
    ],
    [
      'an older state was found, and it has not come to where it was: it is one loss',
      { none: 0, older: 1 },
      async (world) => {
        world.state.loseWrites(4);
        await own(world, 1, 1);
      },
    ],
    [
      'everything was lost, and what was made since was lost in part: those are two',
      { none: 1, older: 1 },
      async (world) => {
        world.state.flush();
        await own(world, 7);
        world.state.loseWrites(4);
      },
    ],
    [
      'nobody ever committed',
      { none: 0, older: 0 },
      ({ state, committed }) => {
        state.flush();
        committed.clear();
      },
    ],
    [
      'what is there cannot be used: that is no loss',
      { none: 0, older: 0 },
      (world) => tamper(world, (state) => Object.assign(state.checkpoint!, { partition: Buffer.from('{') })),
    ],
  ])('is told by whoever takes over: %s', async (_what, behind, happen) => {
    const world = await worldWith(9);
    await own(world, 6);
    await happen(world);
    await own(world, 1);
    expect(world.stats.statesBehind).toEqual(behind);
    const told = world.messages(50).filter((message) => message.includes('lost what it had confirmed'));
    expect(told.length).toBe(behind.none + behind.older);
  });

  /** The last checkpoint was made and its owner died before it committed; then so many writes were lost. */
  function lastNotCommitted(lost: number) {
    return ({ state, committed }: World) => {
      committed.set(0, committed.get(0)! - 1);
      state.loseWrites(lost);
    };
  }
});

describe('stored state that cannot be used', () => {
  it.each<[string, (world: World) => void]>([
    [
      'is no JSON',
      (world) => tamper(world, (state) => Object.assign(state.checkpoint!, { partition: Buffer.from('{') })),
    ],
    [
      'is of a later version',
      (world) =>
        tamper(world, (state) => {
          const body = JSON.parse(Buffer.from(state.checkpoint!.partition).toString());
          body.state.version = 2;
          Object.assign(state.checkpoint!, { partition: Buffer.from(JSON.stringify(body)) });
        }),
    ],
    ['has a session with another checksum', (world) => tamper(world, ({ sessions }) => flip(sessions.get('s')!, 40))],
    ['has a session of a later version', (world) => tamper(world, ({ sessions }) => flip(sessions.get('s')!, 0))],
    [
      'has a session that is ahead',
      (world) => tamper(world, ({ sessions }) => new DataView(sessions.get('s')!.buffer).setFloat64(4, 99)),
    ],
  ])('%s: it is thrown away, loudly, and the log makes it anew', async (_what, damage) => {
    const world = await worldWith(3);
    const first = world.process();
    await first.drain();
    await first.stop();
    damage(world);
    const second = world.process();
    for (let i = 0; i < 3; i++) world.act('s');
    await second.drain();
    await second.stop();
    expect(world.messages(50)).toEqual(['the stored state cannot be used and was thrown away']);
    expect([world.stats.discarded, world.stats.rebuilds]).toEqual([1, 1]);
    const { body, sessions } = await world.stored();
    expect([body!.state, sessions]).toEqual([JSON.parse(world.oracle().partition), world.oracle().sessions]);
  });
});

type State = Parameters<Parameters<World['state']['tamper']>[1]>[0];

function tamper(world: World, change: (state: State) => void): void {
  world.state.tamper(0, change);
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = bytes[at]! ^ 0xff;
}

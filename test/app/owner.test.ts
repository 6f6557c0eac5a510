import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Activation } from '../../src/adapters/kafka/activation-history.ts';
import { activate, adviseActivation, adviseOwner } from '../../src/app/activation.ts';
import { Policies } from '../../src/app/policies.ts';
import { notReady } from '../../src/app/readiness.ts';
import { ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { bodyOf, World } from '../simulation/world.ts';

const HOUR = 3_600_000;
const BODY = bodyOf({ watch: 'n > 1', pause: 'n > 2', kill: 'n > 4' });
const LATER = bodyOf({ kill: 'n > 1' });

function restatements(world: World): number {
  return world.said('actions').filter(({ record }) => record.type === 'state.restated.v1').length;
}

describe('what holds for the whole partition', () => {
  it('is restated in each quarter of the retention, also where nothing happens', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    const process = world.process({ retentionMs: 8 * HOUR, probeIntervalMs: 60_000 });
    const seen: number[] = [];
    for (let hour = 0; hour < 9; hour++) {
      await process.drain();
      seen.push(restatements(world));
      await world.clock.advance(HOUR);
    }
    expect(seen).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4]);
    // A later owner, who finds neither the state nor any activation, judges by it.
    await process.drain();
    process.die();
    world.state.flush();
    world.log.deleteBefore(0, 1);
    const last = world.process({ retentionMs: 8 * HOUR });
    for (let i = 0; i < 6; i++) world.act('s');
    await last.drain();
    await last.stop();
    expect((await world.stored()).body?.state).toMatchObject({
      policy: { hash: world.plans[0]!.hash },
    });
    expect(world.said('commands').map(({ command }) => command.action)).toContain('pause');
  });

  it('is not restated by an owner that has not read the log to its end', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    const process = world.process({ retentionMs: HOUR });
    await process.drain();
    await world.clock.advance(HOUR - 5000);
    const before = restatements(world);
    for (let i = 0; i < 10; i++) world.act('s', { action: 'read' });
    await process.deliver(5);
    await world.clock.advance(5 * HOUR);
    expect(restatements(world)).toBe(before);
  });
});

describe('a policy that cannot be had', () => {
  it('stops the partition before the record that names it, loudly, until it can', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    const missing = await world.policy(LATER, 'missing');
    for (let i = 0; i < 4; i++) world.act('before');
    const { high } = world;
    world.activate(missing);
    for (let i = 0; i < 4; i++) world.act('behind');
    const process = world.process();
    for (let i = 0; i < 3; i++) expect(await process.deliver()).toBe('failed');
    expect((await world.stored()).next).toBe(high);
    expect(world.said('commands').map(({ command }) => [command.action, command.session])).toEqual([
      ['pause', 'before'],
    ]);
    expect(new Set(world.messages(50))).toEqual(new Set(['stopped before a policy that cannot be had']));
    expect(notReady(world.stats, world.clock.monotonicMs())).toEqual([
      expect.stringContaining('nobody has put it here'),
    ]);

    await world.library.put(Buffer.from(JSON.stringify(LATER)));
    await world.policy(LATER);
    await process.drain();
    expect(notReady(world.stats, world.clock.monotonicMs())).toEqual([]);
    await process.stop();
    expect((await world.stored()).body!.state).toEqual(JSON.parse(world.oracle().partition));
  });

  it('is one of a later engine, too', async () => {
    const world = new World();
    const policy = await world.policy(BODY);
    world.activate({ ...policy, engine: ENGINE_VERSION + 1 });
    expect(await world.process().deliver()).toBe('failed');
    expect(world.messages(50)).toEqual(['stopped before a policy that cannot be had']);
  });
});

describe('an activation', () => {
  /** `a-` is one that was begun and not completed. */
  const past = (...hashes: string[]): Activation[] =>
    hashes.map((text) => {
      const state = text.endsWith('-') ? 'begun' : 'complete';
      return { hash: text.replace('-', ''), chunks: 1, engine: 1, by: 'kim', at: '', state };
    });

  it.each([
    ['a', [], 'new'],
    ['a', ['b'], 'new'],
    ['a', ['b', 'a'], 'in_force'],
    ['a', ['a', 'b'], 'superseded'],
    // A crash half-way: the same one is repeated, another one goes before it.
    ['a', ['b', 'a-'], 'new'],
    ['a', ['a', 'b-'], 'superseded'],
    ['a', ['b-'], 'new'],
  ] as const)('of %s after %j is %s', (hash, hashes, advice) =>
    expect(adviseActivation(hash, past(...hashes))).toBe(advice),
  );

  it.each([
    [undefined, [], [], 'new'],
    ['a', [], [], 'in_force'],
    ['b', ['a'], [], 'superseded'],
    ['b', [], ['a', 'b'], 'superseded'],
    [undefined, [], ['a', 'b'], 'superseded'],
    // The log has lost it.
    [undefined, [], ['b', 'a'], 'new'],
    ['b', [], ['b'], 'new'],
    // The history was not written any more.
    ['a', ['b'], ['a', 'b'], 'in_force'],
    // The owner before died half-way.
    ['b', [], ['b', 'a-'], 'new'],
    [undefined, [], ['a-'], 'new'],
    ['a', [], ['a', 'b-'], 'in_force'],
    ['b', ['a'], ['a', 'b-'], 'superseded'],
  ] as const)(
    'of a folder where the owner follows %s after %j, history %j, is %s',
    (hash, superseded, history, advice) => {
      const policy = hash === undefined ? undefined : { hash, chunks: 1, engine: 1 };
      expect(adviseOwner('a', { policy, superseded }, past(...history))).toBe(advice);
    },
  );

  it('reaches partition 0 last, so that its owner knows whether all have it', async () => {
    const { library, outlet, clock } = new World();
    const added: Activation[] = [];
    const parts = { library, clock, partitions: 4, history: { add: async (one: Activation) => void added.push(one) } };
    const published: number[] = [];
    const failing = {
      ...outlet,
      close: async () => {},
      publish: async (outputs: readonly { topic: string; partition?: number }[]) => {
        for (const { partition } of outputs) {
          if (published.length === 3) throw new Error('broker away');
          published.push(partition!);
        }
      },
    };
    await expect(activate(BODY, 'kim', { ...parts, outlet: failing })).rejects.toThrow('broker away');
    expect(published).toEqual([1, 2, 3]);
    expect(added.map(({ state }) => state)).toEqual(['begun']);
  });
});

describe('actions before the first policy', () => {
  it('are said once', async () => {
    const world = new World();
    const process = world.process();
    for (let round = 0; round < 3; round++) {
      world.act('s');
      await process.drain();
    }
    expect(world.messages(40).filter((msg) => msg.includes('before the first policy'))).toHaveLength(1);
    expect(world.stats.beforePolicy).toBe(3);
  });
});

describe('readiness', () => {
  it('is denied until the first take-over, and from giving up to being back', async () => {
    const world = new World();
    const reasons = () => notReady(world.stats, world.clock.monotonicMs());
    expect(reasons()).toEqual(['the group has not assigned anything yet']);
    const process = world.process();
    expect(reasons()).toEqual(['partition 0 is not judged: it is being taken over']);
    await process.drain();
    expect(reasons()).toEqual([]);
    world.state.failNext('refused');
    await world.clock.advance(1000);
    expect(reasons()).toEqual(['partition 0 is not judged: memory state: refused']);
    world.state.failNext('refused');
    expect(await process.deliver()).toBe('failed');
    expect(reasons()).toHaveLength(1);
    await process.drain();
    expect(reasons()).toEqual([]);
    process.analyzer.held([]);
    expect(reasons()).toEqual([]); // a standby: there are more processes than partitions
  });

  it('is denied while a partition fails at the same record again and again', async () => {
    const world = new World();
    world.activate(await world.policy(BODY, 'missing'));
    const seen: number[] = [];
    const get = async () => {
      seen.push(notReady(world.stats, world.clock.monotonicMs()).length);
      throw new Error('nobody has put it here');
    };
    const process = world.process({ policies: new Policies({ get, put: (body) => world.library.put(body) }) });
    for (let i = 0; i < 3; i++) await process.deliver();
    expect(seen).toEqual([0, 1, 1]);
  });

  it('is denied while something does not answer at all', async () => {
    const world = new World();
    const silent = { publish: () => new Promise<never>(() => {}), close: async () => {} };
    const process = world.process({ outlet: silent });
    await process.drain();
    await world.clock.advance(20_000);
    expect(notReady(world.stats, world.clock.monotonicMs())).toEqual([
      'partition 0: Kafka or Redis has not answered for 20 s',
    ]);
  });
});

describe('a lease', () => {
  it('never says more than is published', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    let release = () => {};
    const leases: string[] = [];
    const outlet = {
      close: async () => {},
      publish: async (outputs: readonly { topic: string; lease?: { processedThrough: string } }[]) => {
        for (const { lease } of outputs) if (lease) leases.push(lease.processedThrough);
        if (outputs.some(({ topic }) => topic === 'commands'))
          await new Promise<void>((resolve) => {
            release = resolve;
          });
      },
    };
    const process = world.process({ outlet });
    await process.drain();
    await world.clock.advance(5000);
    for (let i = 0; i < 3; i++) world.act('s');
    const stepped = process.deliver();
    await world.clock.advance(5000);
    expect(new Set(leases)).toEqual(new Set(['2026-01-05T09:00:00.000Z']));
    release();
    expect(await stepped).toBe('delivered');
    await world.clock.advance(2000);
    expect(leases.at(-1)).toBe('2026-01-05T09:00:05.000Z');
  });
});

describe('stopping', () => {
  it('saves all that is judged, also behind a checkpoint that is under way', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    let waits = 0;
    const process = world.process({ checkpointIntervalMs: 1 }, { delays: () => waits });
    await process.drain();
    await world.clock.advance(10);
    waits = 20;
    for (let i = 0; i < 4; i++) world.act('s', { action: 'read' });
    await process.deliver(2); // its checkpoint begins here
    await process.deliver(2);
    await process.stop();
    expect((await world.stored()).next).toBe(5);
  });

  it('waits for a batch, and saves it', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    const process = world.process({}, { delays: () => 10 });
    for (let i = 0; i < 4; i++) world.act('s');
    const delivering = process.deliver();
    await setImmediate();
    await process.analyzer.stop();
    expect(await delivering).toBe('delivered');
    await process.stop();
    expect((await world.stored()).next).toBe(5);
  });

  it('or losing the partition in the middle of a take-over leaves no worker behind', async () => {
    const world = new World();
    world.activate(await world.policy(BODY));
    let waits = 10;
    const process = world.process({}, { delays: () => waits });
    const delivering = process.deliver();
    await setImmediate();
    process.lose();
    expect(await delivering).toBe('failed');
    waits = 0;
    await world.clock.advance(5000);
    expect(world.said('leases')).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StateStore, type Tenure, TenureLost } from '../../src/ports.ts';
import { bytes, chunk, contents, lastChunk, type StateServer, text } from './state-server.ts';

function lost(reason: TenureLost['reason']) {
  return expect.objectContaining({ name: 'TenureLost', reason });
}

export function stateStoreContract(name: string, start: () => Promise<StateServer>): void {
  describe(`StateStore contract: ${name}`, () => {
    let server: StateServer;
    let a: StateStore;
    let b: StateStore;
    let partition = 0;

    beforeAll(async () => {
      server = await start();
      [a, b] = await Promise.all([server.open(), server.open()]);
    });
    afterAll(async () => {
      await a?.close();
      await b?.close();
      await server?.stop();
    });

    /** A partition of its own for each test, with the checkpoint { next 10, one: 1111, two: 2222 }. */
    async function saved(): Promise<{ p: number; tenure: Tenure }> {
      partition += 1;
      const tenure = await a.acquire(partition);
      await tenure.write(chunk({ one: bytes('1111 and more') }));
      await tenure.write(lastChunk({ two: bytes('2222 and more') }, 10, 2));
      return { p: partition, tenure };
    }

    const AT_10 = {
      next: 10,
      partition: 'state at 10',
      sessions: { one: '1111 and more', two: '2222 and more' },
      headers: { one: '1111', two: '2222' },
    };
    const NOTHING = { next: undefined, partition: undefined, sessions: {}, headers: {} };

    it('has nothing at first', async () => {
      const tenure = await a.acquire(1000);
      expect(await contents(tenure)).toEqual(NOTHING);
      expect(tenure.discarded).toBeUndefined();
      expect(await tenure.load(['one'])).toEqual([undefined]);
      await tenure.probe();
    });

    it('shows the next owner what the checkpoint holds, and the owner what it wrote', async () => {
      const { p, tenure } = await saved();
      expect((await tenure.load(['two', 'none', 'one'])).map(text)).toEqual([
        '2222 and more',
        undefined,
        '1111 and more',
      ]);
      await tenure.probe();
      expect(await contents(await b.acquire(p))).toEqual(AT_10);
    });

    it('deletes sessions, one that is not there too', async () => {
      const { p, tenure } = await saved();
      await tenure.write(lastChunk({ one: null, none: null }, 11, 1));
      expect(await tenure.load(['one'])).toEqual([undefined]);
      expect((await contents(await b.acquire(p))).sessions).toEqual({ two: '2222 and more' });
    });

    it('takes a checkpoint back that was cut off between chunks', async () => {
      const { p, tenure } = await saved();
      await tenure.write(chunk({ one: bytes('changed'), three: bytes('new') }));
      await tenure.write(chunk({ two: null, one: bytes('changed twice'), three: bytes('again') }));
      await tenure.write(chunk({ one: null, four: bytes('new'), two: bytes('back') }));
      const cut = await b.acquire(p);
      expect(await contents(cut)).toEqual(AT_10);
      await cut.write(lastChunk({ five: bytes('5') }, 12, 3));
      expect(Object.keys((await contents(await a.acquire(p))).sessions)).toEqual(['five', 'one', 'two']);
    });

    it('takes a first checkpoint back that was cut off', async () => {
      const p = 1001;
      await (await a.acquire(p)).write(chunk({ one: bytes('1'), two: bytes('2') }));
      const tenure = await b.acquire(p);
      expect(await contents(tenure)).toEqual(NOTHING);
      expect(tenure.discarded).toBeUndefined();
    });

    it('fences an older tenure on load, write and probe', async () => {
      const calls: ((tenure: Tenure) => Promise<unknown>)[] = [
        (tenure) => tenure.load(['one']),
        (tenure) => tenure.write(lastChunk({ one: bytes('zombie') }, 99, 2)),
        (tenure) => tenure.probe(),
      ];
      for (const call of calls) {
        const { p, tenure } = await saved();
        const owner = await b.acquire(p);
        await expect(call(tenure)).rejects.toEqual(lost('fenced'));
        await expect(tenure.load([])).rejects.toEqual(lost('fenced'));
        await owner.probe();
        expect(await contents(owner)).toEqual(AT_10);
      }
    });

    it('runs overlapping calls in the order in which they were made', async () => {
      const { tenure } = await saved();
      const [, , loaded] = await Promise.all([
        tenure.write(chunk({ one: bytes('x') })),
        tenure.write(lastChunk({ one: bytes('y') }, 11, 2)),
        tenure.load(['one']),
        tenure.probe(),
      ]);
      expect(loaded.map(text)).toEqual(['y']);
    });

    it('finds a rollback at the next write, load and probe', async () => {
      const calls: ((tenure: Tenure) => Promise<unknown>)[] = [
        (tenure) => tenure.load(['one']),
        (tenure) => tenure.write(lastChunk({}, 12, 2)),
        (tenure) => tenure.probe(),
      ];
      for (const call of calls) {
        const { p, tenure } = await saved();
        const rollBack = await server.mark(p);
        await tenure.write(lastChunk({ one: bytes('newer') }, 11, 2));
        await rollBack();
        await expect(call(tenure)).rejects.toEqual(lost('rolled_back'));
        await expect(tenure.probe()).rejects.toEqual(lost('rolled_back'));
        expect(await contents(await a.acquire(p))).toEqual(AT_10);
      }
    });

    it('finds a rollback past its own acquire', async () => {
      const { p } = await saved();
      const rollBack = await server.mark(p);
      const tenure = await b.acquire(p);
      await rollBack();
      await expect(tenure.probe()).rejects.toEqual(lost('fenced'));
    });

    it('finds that everything is gone', async () => {
      const { p, tenure } = await saved();
      await server.flush();
      await expect(tenure.probe()).rejects.toEqual(lost('state_lost'));
      const fresh = await a.acquire(p);
      expect(await contents(fresh)).toEqual(NOTHING);
      await fresh.write(lastChunk({ one: bytes('1') }, 1, 1));
      await fresh.probe();
    });

    it('finds what a foreign hand did: removed, added, moved', async () => {
      const deeds: ((p: number) => Promise<void>)[] = [
        (p) => server.remove(p, 'one'),
        (p) => server.put(p, 'three', bytes('3')),
        (p) => server.setNext(p, 9),
      ];
      for (const deed of deeds) {
        const { p, tenure } = await saved();
        await tenure.probe();
        await deed(p);
        await expect(tenure.probe()).rejects.toEqual(lost('state_lost'));
      }
    });

    it('throws away what is not one consistent point, and says why', async () => {
      const deeds: ((p: number) => Promise<void>)[] = [
        (p) => server.remove(p, 'one'),
        (p) => server.put(p, 'three', bytes('3')),
      ];
      for (const deed of deeds) {
        const { p } = await saved();
        await deed(p);
        const tenure = await b.acquire(p);
        expect(await contents(tenure)).toEqual(NOTHING);
        expect(tenure.discarded).toMatch(/^[13] sessions instead of 2$/);
        await tenure.write(lastChunk({ one: bytes('1') }, 1, 1));
        await tenure.probe();
        expect((await b.acquire(p)).discarded).toBeUndefined();
      }
    });

    it('throws away what its reader cannot use, and fences the owner before', async () => {
      const { p, tenure } = await saved();
      await tenure.write(chunk({ one: bytes('in a journal') }));
      const emptied = await b.discard(p, 'of another program');
      expect([await contents(emptied), emptied.discarded]).toEqual([NOTHING, 'of another program']);
      await expect(tenure.probe()).rejects.toEqual(lost('fenced'));
      await emptied.write(lastChunk({ three: bytes('3') }, 3, 1));
      await emptied.probe();
      const after = await a.acquire(p);
      expect([(await contents(after)).sessions, after.discarded]).toEqual([{ three: '3' }, undefined]);
    });

    it('refuses a checkpoint that counts its sessions wrongly, before anything is written', async () => {
      const { p, tenure } = await saved();
      await expect(tenure.write(lastChunk({ one: null }, 11, 2))).rejects.toThrow('would hold 1 sessions');
      await expect(tenure.probe()).rejects.toEqual(lost('unknown'));
      expect(await contents(await b.acquire(p))).toEqual(AT_10);
    });

    it.each([
      ['refused', false],
      ['reply_lost', true],
      ['late', false],
    ] as const)('ends the tenure when a write is %s', async (fault, applied) => {
      const { p, tenure } = await saved();
      server.failNext(fault);
      const failed = tenure.write(lastChunk({ one: bytes('1'), two: null }, 11, 1));
      const next = tenure.load(['one']);
      await expect(failed).rejects.not.toBeInstanceOf(TenureLost);
      await expect(next).rejects.toEqual(lost('unknown'));
      await expect(tenure.probe()).rejects.toEqual(lost('unknown'));
      const after = await a.acquire(p);
      await server.deliver();
      await after.probe();
      expect((await contents(after)).sessions).toEqual(applied ? { one: '1' } : AT_10.sessions);
    });

    it('applies a late write while nobody has acquired, and shows it to the next owner whole', async () => {
      const { p, tenure } = await saved();
      server.failNext('late');
      await expect(tenure.write(lastChunk({ one: bytes('1'), two: null }, 11, 1))).rejects.toThrow();
      await server.deliver();
      expect(await contents(await b.acquire(p))).toMatchObject({ next: 11, sessions: { one: '1' } });
    });

    it('applies a repeated write once', async () => {
      const { p, tenure } = await saved();
      server.failNext('twice', 'twice');
      await tenure.write(chunk({ one: bytes('first') }));
      await tenure.write(lastChunk({ one: bytes('second') }, 11, 2));
      await tenure.write(lastChunk({ one: bytes('third') }, 12, 2));
      await server.deliver();
      await tenure.probe();
      expect(await contents(await b.acquire(p))).toMatchObject({ next: 12, sessions: { one: 'third' } });
    });

    it('fences the owner by an acquire that arrives late', async () => {
      const { p } = await saved();
      server.failNext('late');
      await expect(b.acquire(p)).rejects.toThrow();
      const owner = await a.acquire(p);
      await server.deliver();
      await expect(owner.write(lastChunk({ one: bytes('x') }, 12, 2))).rejects.toEqual(lost('fenced'));
      expect(await contents(await a.acquire(p))).toEqual(AT_10);
    });

    it('holds 1,000 sessions written in chunks, and takes 1,000 changes back', async () => {
      const p = 1002;
      const names = Array.from({ length: 1000 }, (_, i) => `session-${i}`);
      const part = (from: number, value: string | null) =>
        Object.fromEntries(names.slice(from, from + 250).map((n) => [n, value === null ? null : bytes(value + n)]));
      const tenure = await a.acquire(p);
      for (const from of [0, 250, 500]) await tenure.write(chunk(part(from, 'old ')));
      await tenure.write(lastChunk(part(750, 'old '), 7, 1000));
      const before = await contents(await a.acquire(p));
      expect(Object.keys(before.sessions)).toHaveLength(1000);
      expect(before.sessions['session-999']).toBe('old session-999');

      const second = await b.acquire(p);
      for (const from of [0, 250, 500]) await second.write(chunk(part(from, from === 500 ? null : 'new ')));
      await second.write(chunk(Object.fromEntries(names.map((n) => [`other ${n}`, bytes('x')]))));
      const cut = await a.acquire(p);
      expect(await contents(cut)).toEqual(before);
      await cut.probe();
    });

    it('keeps every byte, in names too', async () => {
      const p = 1003;
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const names = ['', 'a\0b', 'ü 漢字 🦊', '__proto__', '-1', '{17}', 'x'.repeat(2000)];
      const values = [all, new Uint8Array(0), all.toReversed(), bytes('a'), bytes('v'), all, all.subarray(100, 103)];
      const tenure = await a.acquire(p);
      const sessions = new Map(names.map((name, i) => [name, values[i]!]));
      await tenure.write({ sessions });
      await tenure.write({
        sessions: new Map(),
        checkpoint: { next: 2 ** 40, partition: all, sessions: names.length },
      });
      const changed = await b.acquire(p);
      await changed.write({ sessions: new Map(names.map((name, i) => [name, i % 2 ? null : bytes('x')])) });
      const after = await b.acquire(p);
      expect(after.checkpoint?.next).toBe(2 ** 40);
      expect([...(after.checkpoint?.partition ?? [])]).toEqual([...all]);
      expect(new Set(after.headers.keys())).toEqual(new Set(names));
      expect((await after.load(names)).map((value) => [...value!])).toEqual(values.map((value) => [...value]));
      expect(names.map((name) => after.headers.get(name)!.length)).toEqual([4, 0, 4, 1, 1, 4, 3]);
    });

    it('keeps partitions apart', async () => {
      const one = await saved();
      const other = await saved();
      await b.acquire(one.p);
      await other.tenure.write(lastChunk({ one: null }, 20, 1));
      await other.tenure.probe();
      expect(await contents(await a.acquire(one.p))).toEqual(AT_10);
    });
  });
}

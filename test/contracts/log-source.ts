import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { RawRecord } from '../../src/domain/record.ts';
import { type Assignment, type Batch, LogGap, type LogReader, type LogSource } from '../../src/ports.ts';

/** A log with two partitions and one group, anew for each test. */
export interface LogUnderTest {
  topicId: string;
  append(
    partition: number,
    record: { key: string | null; value: string | null; headers?: Record<string, string> },
  ): Promise<number>;
  deleteBefore(partition: number, offset: number): Promise<void>;
  /** A member of the group. */
  source(): LogSource;
  close(): Promise<void>;
}

/** Takes notes, and does what the test says. */
export class TestReader implements LogReader {
  readonly holdings: number[][] = [];
  readonly assignments: Assignment[] = [];
  readonly batches: Batch[] = [];
  readonly records = new Map<number, RawRecord[]>();
  readonly faults: string[] = [];
  onAssigned: (assignment: Assignment) => Promise<number> = async ({ low }) => low;
  onBatch: (batch: Batch) => Promise<void> = async () => {};
  readonly #expected = new Map<number, number>();
  readonly #busy = new Set<number>();

  held(partitions: readonly number[]): void {
    this.holdings.push([...partitions].sort());
  }

  async assigned(assignment: Assignment): Promise<number> {
    if (!this.holdings.at(-1)?.includes(assignment.partition)) this.faults.push(`${assignment.partition}: not held`);
    this.assignments.push(assignment);
    const next = await this.#alone(assignment.partition, () => this.onAssigned(assignment));
    this.#expected.set(assignment.partition, next);
    return next;
  }

  async batch(batch: Batch): Promise<void> {
    const { partition, first, next, records } = batch;
    if (this.#expected.get(partition) !== first) {
      this.faults.push(`${partition}: from ${first} instead of ${this.#expected.get(partition)}`);
    }
    if (records.some(({ offset }) => offset < first || offset >= next))
      this.faults.push(`${partition}: beyond its batch`);
    this.batches.push(batch);
    await this.#alone(partition, () => this.onBatch(batch));
    this.#expected.set(partition, next);
    const held = this.records.get(partition) ?? [];
    this.records.set(partition, [...held, ...records.map((record) => ({ ...record }))]);
  }

  values(partition: number): string[] {
    return (this.records.get(partition) ?? []).map(({ value }) => Buffer.from(value ?? []).toString());
  }

  async #alone<T>(partition: number, call: () => Promise<T>): Promise<T> {
    if (this.#busy.has(partition)) this.faults.push(`${partition}: two calls at once`);
    this.#busy.add(partition);
    try {
      return await call();
    } finally {
      this.#busy.delete(partition);
    }
  }
}

export async function until(what: () => boolean, withinMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!what()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}

export function logSourceContract(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`log source: ${name}`, { timeout: 40_000 }, () => {
    const logs: LogUnderTest[] = [];
    const running: LogSource[] = [];

    async function start(log: LogUnderTest, reader = new TestReader()) {
      const source = log.source();
      running.push(source);
      const run = source.run(reader);
      run.catch(() => undefined);
      return { source, reader, run };
    }

    async function made(counts: readonly [number, number] = [0, 0]): Promise<LogUnderTest> {
      const log = await make();
      logs.push(log);
      for (const partition of [0, 1] as const) {
        for (let i = 0; i < counts[partition]; i++)
          await log.append(partition, { key: 'k', value: `${partition}-${i}` });
      }
      return log;
    }

    afterAll(async () => {
      await Promise.all(running.map((source) => source.stop()));
      await Promise.all(logs.map((log) => log.close()));
    });

    it('delivers what is there and what comes, in order, without a gap', async () => {
      const log = await made([7, 3]);
      const { source, reader, run } = await start(log);
      await until(() => reader.values(0).length === 7 && reader.values(1).length === 3);
      await log.append(1, { key: 'k', value: '1-3' });
      await until(() => reader.values(1).length === 4);
      await source.stop();
      await run;
      expect(reader.values(0)).toEqual(['0-0', '0-1', '0-2', '0-3', '0-4', '0-5', '0-6']);
      expect(reader.values(1)).toEqual(['1-0', '1-1', '1-2', '1-3']);
      expect(reader.faults).toEqual([]);
      expect(reader.assignments.map(({ partition }) => partition).sort()).toEqual([0, 1]);
      const [first] = reader.assignments.filter(({ partition }) => partition === 0);
      expect(first).toMatchObject({ topicId: log.topicId, partitions: 2, low: 0, high: 7, committed: undefined });
      expect(reader.assignments.every(({ lost }) => lost.aborted)).toBe(true);
    });

    it('keeps key, value, headers and append time', async () => {
      const log = await made();
      const before = Date.now();
      await log.append(0, { key: 'ключ', value: 'v', headers: { ce_type: 'x' } });
      await log.append(0, { key: null, value: null });
      const { source, reader } = await start(log);
      await until(() => reader.records.get(0)?.length === 2);
      await source.stop();
      const [full, empty] = reader.records.get(0)!;
      expect(Buffer.from(full!.key!).toString()).toBe('ключ');
      expect(Buffer.from(full!.value!).toString()).toBe('v');
      expect(Buffer.from(full!.headers['ce_type'] as Uint8Array).toString()).toBe('x');
      expect(full!.appendMs).toBeGreaterThanOrEqual(before);
      expect(empty).toMatchObject({ offset: 1, key: null, value: null });
    });

    it('begins where the reader says, wherever the group is', async () => {
      const log = await made([10, 0]);
      const first = await start(log);
      await until(() => first.reader.values(0).length === 10);
      await first.source.commit(0, 10);
      await first.source.stop();
      const second = new TestReader();
      second.onAssigned = async ({ partition }) => (partition === 0 ? 4 : 0);
      const { source } = await start(log, second);
      await until(() => second.values(0).length >= 6);
      await source.stop();
      expect(second.values(0)).toEqual(['0-4', '0-5', '0-6', '0-7', '0-8', '0-9']);
      expect(second.assignments.find(({ partition }) => partition === 0)!.committed).toBe(10);
      expect(second.faults).toEqual([]);
    });

    it('waits with the first record for a slow assignment, and with the next for a slow batch', async () => {
      const log = await made([20, 20]);
      const reader = new TestReader();
      const open = { assigned: false };
      reader.onAssigned = async () => {
        await sleep(60);
        open.assigned = true;
        return 5;
      };
      reader.onBatch = async () => {
        if (!open.assigned) reader.faults.push('before the answer');
        await sleep(30);
      };
      const { source } = await start(log, reader);
      await until(() => reader.values(0).length === 15 && reader.values(1).length === 15);
      await source.stop();
      expect(reader.faults).toEqual([]);
    });

    it('hands over at most 500 records at once', async () => {
      const log = await made();
      for (let i = 0; i < 1200; i += 100) {
        await Promise.all(Array.from({ length: 100 }, () => log.append(0, { key: 'k', value: 'v' })));
      }
      const { source, reader } = await start(log);
      await until(() => reader.values(0).length === 1200);
      await source.stop();
      expect(Math.max(...reader.batches.map(({ records }) => records.length))).toBeLessThanOrEqual(500);
      expect(reader.batches.at(-1)).toMatchObject({ next: 1200, high: 1200 });
      expect(reader.faults).toEqual([]);
    });

    it('assigns again after a failed batch, and delivers from the new answer', async () => {
      const log = await made([6, 2]);
      const reader = new TestReader();
      let failures = 0;
      reader.onAssigned = async ({ partition }) => (partition === 0 && failures > 0 ? 1 : 0);
      reader.onBatch = async ({ partition }) => {
        if (partition === 0 && failures++ < 2) throw new TypeError('told to');
      };
      const { source } = await start(log, reader);
      await until(() => reader.values(0).length === 5 && reader.values(1).length === 2);
      await source.stop();
      const [first, second, third] = reader.assignments.filter(({ partition }) => partition === 0);
      expect(first!.lost.aborted && second!.lost.aborted).toBe(true);
      expect(third).toBeDefined();
      expect(reader.values(0)).toEqual(['0-1', '0-2', '0-3', '0-4', '0-5']);
      expect(reader.assignments.filter(({ partition }) => partition === 1)).toHaveLength(1);
      expect(reader.faults).toEqual([]);
    });

    it('assigns again after a failed assignment', async () => {
      const log = await made([3, 0]);
      const reader = new TestReader();
      let failures = 0;
      reader.onAssigned = async ({ partition, low }) => {
        if (partition === 0 && failures++ < 3) throw new Error('told to');
        return low;
      };
      const { source } = await start(log, reader);
      await until(() => reader.values(0).length === 3);
      await source.stop();
      expect(reader.assignments.filter(({ partition }) => partition === 0)).toHaveLength(4);
      expect(reader.faults).toEqual([]);
    });

    it('assigns again when asked to, after the running batch has ended', async () => {
      const log = await made([3, 0]);
      const reader = new TestReader();
      let blocked: (() => void) | undefined;
      reader.onBatch = () =>
        new Promise((resolve) => {
          if (blocked === undefined) blocked = resolve;
          else resolve();
        });
      const { source } = await start(log, reader);
      await until(() => blocked !== undefined);
      source.reassign(0);
      expect(reader.assignments.find(({ partition }) => partition === 0)!.lost.aborted).toBe(true);
      await sleep(150);
      expect(reader.assignments.filter(({ partition }) => partition === 0)).toHaveLength(1);
      blocked!();
      await until(() => reader.assignments.filter(({ partition }) => partition === 0).length === 2);
      await until(() => reader.values(0).length === 6); // the batch that outlived its assignment, and the new one
      source.reassign(0);
      await until(() => reader.values(0).length === 9);
      await source.stop();
      expect(reader.faults).toEqual([]);
    });

    it.each([
      ['before what the log holds', 2],
      ['after its end', 11],
    ])('refuses to begin %s', async (_where, next) => {
      const log = await made([10, 0]);
      await log.deleteBefore(0, 5);
      const reader = new TestReader();
      reader.onAssigned = async ({ partition, low }) => (partition === 0 ? next : low);
      const { run } = await start(log, reader);
      const error = await run.then(
        () => undefined,
        (found: unknown) => found,
      );
      expect(error).toBeInstanceOf(LogGap);
      expect(error).toMatchObject({ partition: 0, next });
      expect((error as LogGap).message).toContain('5 to 10');
      expect(reader.values(0)).toEqual([]);
    });

    it('may begin at the first and after the last record', async () => {
      const log = await made([10, 4]);
      await log.deleteBefore(0, 5);
      const reader = new TestReader();
      reader.onAssigned = async ({ low, high, partition }) => (partition === 0 ? low : high);
      const { source } = await start(log, reader);
      await until(() => reader.values(0).length === 5);
      await log.append(1, { key: 'k', value: 'new' });
      await until(() => reader.values(1).length === 1);
      await source.stop();
      expect(reader.assignments.find(({ partition }) => partition === 0)).toMatchObject({ low: 5, high: 10 });
      expect(reader.values(1)).toEqual(['new']);
    });

    it('reads single records and finds offsets by time', async () => {
      const log = await made([3, 0]);
      await sleep(5);
      const between = Date.now();
      await sleep(5);
      await log.append(0, { key: 'k', value: 'late' });
      await log.append(0, { key: 'k', value: 'last' });
      await log.deleteBefore(0, 1);
      const { source, reader } = await start(log);
      await until(() => reader.values(0).length === 4);
      const assignment = reader.assignments.find(({ partition }) => partition === 0)!;
      const texts = await Promise.all([0, 1, 3, 5].map((offset) => assignment.read(offset)));
      expect(texts.map((record) => record && Buffer.from(record.value!).toString())).toEqual([
        undefined,
        '0-1',
        'late',
        undefined,
      ]);
      expect(texts[2]!.offset).toBe(3);
      expect(await assignment.offsetAt(0)).toBe(1);
      expect(await assignment.offsetAt(between)).toBe(3);
      expect(await assignment.offsetAt(Date.now() + 60_000)).toBe(5);
      await source.stop();
    });

    it('tells a heartbeat in a batch that its assignment has ended', async () => {
      const log = await made([1, 0]);
      const reader = new TestReader();
      const told: string[] = [];
      reader.onBatch = async ({ heartbeat, partition }) => {
        if (told.length > 0) return;
        await heartbeat();
        source.reassign(partition);
        await heartbeat().catch((error: Error) => told.push(error.message));
      };
      const { source } = await start(log, reader);
      await until(() => told.length === 1);
      await source.stop();
      expect(told[0]).toContain('ended');
    });

    it('ends the running batch before it stops', async () => {
      const log = await made([3, 0]);
      const reader = new TestReader();
      let began = false;
      reader.onBatch = async () => {
        began = true;
        await sleep(300);
      };
      const { source, run } = await start(log, reader);
      await until(() => began);
      await source.stop();
      await run;
      expect(reader.values(0)).toHaveLength(3);
      await log.append(0, { key: 'k', value: 'unseen' });
      await sleep(100);
      expect(reader.values(0)).toHaveLength(3);
    });
  });
}

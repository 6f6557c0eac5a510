import { afterAll, describe, expect, it } from 'vitest';
import type { Command } from '../../src/domain/command.ts';
import type { Output } from '../../src/domain/output.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import type { Keyring } from '../../src/formats/signature.ts';
import type { Outlet } from '../../src/ports.ts';

/** An outlet whose log has four partitions. */
export interface OutletUnderTest {
  outlet: Outlet;
  keyring: Keyring;
  /** Ids of what was published to the topic, per key in order. */
  published(topic: 'commands' | 'findings'): Promise<string[]>;
  /** What the partition of the log holds. */
  log(partition: number): Promise<RawRecord[]>;
  close(): Promise<void>;
}

const position = { topicId: 't', partition: 1, offset: '41' };
const reasoning = { rule: 'r', score: 2, threshold: 1, reason: 'why', measures: { n: 2 }, baseline: {} };

export function command(id: string, action: Command['action'], fields: Partial<Command> = {}): Command {
  const time = '2026-11-23T06:00:00.000Z';
  const caused = { triggerEventId: 'e', time, policyHash: 'sha256:0', position, evidence: [], evidenceOmitted: 0 };
  return { id, action, session: 's-1', agent: { id: 'a' }, ...reasoning, ...caused, ...fields };
}

export function commandOutput(id: string, action: Command['action'], fields: Partial<Command> = {}): Output {
  return { topic: 'commands', key: fields.session ?? 's-1', command: command(id, action, fields) };
}

export function findingOutput(id: string, reason = 'why'): Output {
  const time = '2026-11-23T06:00:00.000Z';
  const finding = {
    id,
    code: 'level_changed',
    time,
    position,
    policyHash: 'sha256:0',
    reason,
    session: 's-1',
  } as const;
  return { topic: 'findings', key: 's-1', finding };
}

export function outletContract(name: string, make: () => Promise<OutletUnderTest>): void {
  describe(`outlet: ${name}`, { timeout: 40_000 }, () => {
    const made: OutletUnderTest[] = [];
    const under = async () => {
      const one = await make();
      made.push(one);
      return one;
    };
    afterAll(() => Promise.all(made.map((one) => one.close())));

    it('publishes in order, also when calls overlap', async () => {
      const { outlet, published } = await under();
      await outlet.publish([]);
      const ids = Array.from({ length: 60 }, (_, i) => `c${i}`);
      const calls = [ids.slice(0, 20), ids.slice(20, 21), ids.slice(21)];
      await Promise.all(calls.map((some) => outlet.publish(some.map((id) => commandOutput(id, 'pause')))));
      expect(await published('commands')).toEqual(ids);
    });

    it('publishes the same outputs again when asked to', async () => {
      const { outlet, published } = await under();
      const outputs = [findingOutput('f1'), findingOutput('f2')];
      await outlet.publish(outputs);
      await outlet.publish(outputs);
      expect(await published('findings')).toEqual(['f1', 'f2', 'f1', 'f2']);
    });

    it('appends owner records to their partition of the log, as the log reads them', async () => {
      const { outlet, keyring, log } = await under();
      const scope = { type: 'agent' as const, id: 'a' };
      const by = { id: 'kim' };
      const order = { decision: 'd1', command: 'c1', scope, kind: 'pause' as const, by, sinceMs: 4 };
      const restated = { clockMs: 5, orders: [order] };
      await outlet.publish([
        { topic: 'actions', key: 'fb:3', partition: 3, record: { type: 'tick.v1', body: {} } },
        { topic: 'actions', key: 'fb:3', partition: 3, record: { type: 'state.restated.v1', body: restated } },
        {
          topic: 'actions',
          key: 'fb:3',
          partition: 3,
          record: { type: 'command.published.v1', body: { command: 'c1', scope: 'agent:a' } },
        },
      ]);
      const read = (await log(3)).map((raw) => decodeRecord(raw, keyring, { partition: 3, partitions: 4 }).body);
      expect(read).toMatchObject([
        { type: 'tick' },
        { type: 'restated', restated },
        { type: 'published', published: { command: 'c1', scope: 'agent:a' } },
      ]);
      expect(await log(0)).toEqual([]);
    });
  });
}

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { chunksOf } from '../../src/adapters/policy-body.ts';
import { type Replayed, type ReplayPolicy, replayPolicy } from '../../src/app/replay.ts';
import { ReplaySummary } from '../../src/app/replay-summary.ts';
import { loadPolicyFolder, policyBytes } from '../../src/app/rule-folder.ts';
import type { Command } from '../../src/domain/command.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import type { PolicyBody } from '../../src/domain/rule.ts';
import { encodeRecordedLine, encodeRecordedPolicy } from '../../src/formats/recorded-line.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';
import { BODY, eventLine, replayed, withFiles } from './recordings.ts';

const root = resolve(import.meta.dirname, '../..');
const given = replayPolicy(BODY);
const closed = { policy: given, capturedBy: 'recorded', end: 'closed' } as const;
const brief = (commands: readonly Command[]) =>
  commands.map(({ action, triggerEventId }) => `${action} ${triggerEventId}`);

describe('the recorded day', () => {
  it('gives the expected commands, byte for byte', async () => {
    const policy = replayPolicy(await loadPolicyFolder(resolve(root, 'rules')));
    const story = resolve(root, 'fixtures/story/events.ndjson');
    const { commands } = await replayed([story], { ...closed, policy });
    const text = commands.map((command) => `${JSON.stringify(command)}\n`).join('');
    expect(text).toBe(await readFile(resolve(root, 'fixtures/story/expected.ndjson'), 'utf8'));
  });
});

describe('replay of bare events', () => {
  const lines = [...Array(6).keys()].map((n) => eventLine(n));

  it('judges by the policy that is given', async () => {
    const { commands } = await withFiles([lines.join('\n')], (paths) => replayed(paths, closed));
    expect(brief(commands)).toEqual(['pause e-2', 'kill e-4']);
    expect(new Set(commands.map(({ policyHash }) => policyHash))).toEqual(new Set([given.activated.hash]));
  });

  it('lets the clock run on until nothing is pending, or leaves the end open', async () => {
    const seen = async (end: 'open' | 'closed') => {
      let last: Replayed | undefined;
      const note = (one: Replayed) => {
        last = one;
      };
      await withFiles([lines.join('\n')], (paths) => replayed(paths, { ...closed, end }, note));
      return [last!.partition.sessions.size, last!.record.appendMs > START_MS + 6000];
    };
    expect(await seen('open')).toEqual([1, false]);
    expect(await seen('closed')).toEqual([0, true]);
  });

  it('counts what it did, and tells what it could not use', async () => {
    const summary = new ReplaySummary();
    const content = [...lines, '{', lines[5], eventLine(7, { session: 's-2', action: 'read' })].join('\n');
    await withFiles([content], (paths) => replayed(paths, closed, (one) => summary.note(one)));
    expect([summary.records, summary.actions, summary.sessions, summary.levels]).toEqual([
      9,
      8,
      2,
      { clear: 1, watch: 0, paused: 0, killed: 1 },
    ]);
    expect(['judged', 'repeated', 'afterKill'].map((name) => summary.accounting(name as 'judged'))).toEqual([6, 0, 2]);
    expect(summary.told.map(({ line, refusal }) => [line, refusal])).toEqual([[7, 'not_json']]);
    expect([...summary.commands].map(([action, rules]) => [action, [...rules]])).toEqual([
      ['pause', [['test-rule', 1]]],
      ['kill', [['test-rule', 1]]],
    ]);
  });

  it('refuses the same file twice', async () => {
    await withFiles([lines.join('\n')], async ([path]) => {
      await expect(replayed([path!, path!], closed)).rejects.toThrow(/:1: offset 0 comes after 5/);
    });
  });

  it('keeps files apart', async () => {
    const other = lines.map((line) => line.replaceAll('"e-', '"f-'));
    const { commands } = await withFiles([lines.join('\n'), other.join('\n')], (paths) => replayed(paths, closed));
    expect(brief(commands)).toEqual(['pause e-2', 'kill e-4', 'pause f-2', 'kill f-4']);
  });
});

describe('replay of a captured log', () => {
  const strict: PolicyBody = { ...BODY, rules: [ruleOf({ match: { action: 'delete' }, when: { kill: 'n >= 2' } })] };
  let recorded: ReplayPolicy;
  beforeAll(() => {
    recorded = replayPolicy(strict);
  });

  function captured(withBody: 'with body' | 'without body'): string {
    const { hash, chunks, engine } = recorded.activated;
    const records: Pick<RawRecord, 'key' | 'value' | 'headers'>[] = [
      {
        key: Buffer.from('fb:3'),
        value: Buffer.from(JSON.stringify({ hash, chunks, engine })),
        headers: { ce_type: 'dev.firebreak.policy.activated.v1' },
      },
      ...[0, 1, 2].map((n) => ({ key: Buffer.from('s-1'), value: Buffer.from(eventLine(n)), headers: {} })),
    ];
    const lines = records.map((record, n) =>
      encodeRecordedLine('topic-id', 3, { ...record, offset: 40 + 2 * n, appendMs: START_MS + n * 1000 }),
    );
    const body = withBody === 'with body' ? encodeRecordedPolicy(hash, chunksOf(policyBytes(strict))) : [];
    return [...body, ...lines].join('\n');
  }

  it('judges by the policies that it recorded, without any folder', async () => {
    const { commands } = await withFiles([captured('with body')], (paths) => replayed(paths, closed));
    expect(brief(commands)).toEqual(['kill e-1']);
    expect(commands[0]).toMatchObject({
      policyHash: recorded.activated.hash,
      position: { topicId: 'topic-id', partition: 3, offset: '44' },
    });
  });

  it('judges by other rules from its first record on, when asked to', async () => {
    const { commands } = await withFiles([captured('with body')], (paths) =>
      replayed(paths, { ...closed, capturedBy: 'given' }),
    );
    expect(brief(commands)).toEqual(['pause e-2']);
  });

  it('takes the body from the rules that are given, when they are the same', async () => {
    const { commands } = await withFiles([captured('without body')], (paths) =>
      replayed(paths, { ...closed, policy: recorded }),
    );
    expect(brief(commands)).toEqual(['kill e-1']);
  });

  it('stops where the body of a policy is missing', async () => {
    await withFiles([captured('without body')], async (paths) => {
      await expect(replayed(paths, closed)).rejects.toThrow(/:1: the policy sha256:\w+ begins here.*--rules DIR/);
    });
  });

  it('stops at a damaged line: it is a hole in the log', async () => {
    const damaged = captured('with body').replace('"offset":"44"', '"offset":44');
    await withFiles([damaged], async (paths) => {
      await expect(replayed(paths, closed)).rejects.toThrow(/:4: offset: found 44.*damaged/);
    });
  });
});

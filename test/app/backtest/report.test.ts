import { describe, expect, it } from 'vitest';
import { LabelTable, readLabels, wilson } from '../../../src/app/backtest/labels.ts';
import { type PolicyBody, PolicySettings } from '../../../src/domain/rule.ts';
import { ruleOf } from '../../engine/harness.ts';
import { eventLine, withFiles } from '../recordings.ts';
import { backtested } from './world.ts';

const body = (...rules: Record<string, unknown>[]): PolicyBody => ({
  format: 1,
  settings: PolicySettings.parse({}),
  rules: rules.map(ruleOf),
});

/** n events of a session, one per second. */
let second = 0;
const events = (count: number, more: Record<string, unknown>) =>
  Array.from({ length: count }, (_, i) => eventLine(second++, { id: `${more['session']}-${i}`, ...more }));

describe('coverage', () => {
  const deletes = {
    id: 'deletes',
    match: { action: 'delete' },
    measure: { n: 'count', part: 'share' },
    when: { kill: 'n > 2 and part > 0' },
  };
  const anything = { id: 'anything', when: { watch: 'n > 100' } };
  const lines = [
    ...events(5, { session: 's-1', agent: { id: 'a', role: 'cleaner' } }),
    ...events(4, { session: 's-2', action: 'read' }),
    ...events(1, { session: 's-2', action: 'send' }),
  ];
  lines.push(lines.at(-1)!);

  it('counts every event, also repeated ones and those after a kill, by action, role and rule', async () => {
    const { report } = await withFiles([lines.join('\n')], (paths) =>
      backtested(paths, { old: body(deletes, anything), new: body(deletes) }),
    );
    expect(report.coverage).toEqual({
      events: 11,
      covered: { old: 11, new: 5 },
      chosen: { old: 5, new: 5 },
    });
    expect(report.byAction.map(({ action, events, covered }) => [action, events, covered.new])).toEqual([
      ['delete', 5, 5],
      ['read', 4, 0],
      ['send', 2, 0],
    ]);
    expect(report.byRole.map(({ role, events, sessions }) => [role, events, sessions])).toEqual([
      ['(no role)', 6, 1],
      ['cleaner', 5, 1],
    ]);
    expect(report.actions.new).toEqual({ judged: 8, repeated: 1, afterKill: 2 });
  });

  it('a list of maps takes every event when one of them does', async () => {
    const open = { id: 'open', match: [{ action: 'delete' }, {}], when: { watch: 'n > 100' } };
    const { report } = await withFiles([lines.join('\n')], (paths) => backtested(paths, { new: body(open) }));
    expect([report.coverage.covered, report.coverage.chosen]).toEqual([{ new: 11 }, { new: 0 }]);
  });
});

describe('the comparison', () => {
  const lines = [
    ...events(3, { session: 'three' }),
    ...events(6, { session: 'six' }),
    ...events(9, { session: 'nine' }),
  ];
  const old = body(
    { id: 'both', match: { action: 'delete' }, when: { watch: 'n > 1', pause: 'n > 4' } },
    { id: 'gone', match: { action: 'delete' }, when: { kill: 'n > 8' } },
  );
  const changed = body(
    { id: 'both', match: { action: 'delete' }, when: { watch: 'n > 2', pause: 'n > 7' } },
    { id: 'added', mode: 'shadow', match: { action: 'delete' }, when: { kill: 'n > 5' } },
  );

  it('counts a session at each rule that raised it, once, at the highest level to which that rule did', async () => {
    const { report } = await withFiles([lines.join('\n')], (paths) => backtested(paths, { old, new: changed }));
    const sessions = (clear: number, watch: number, paused: number, killed: number) => ({
      clear,
      watch,
      paused,
      killed,
    });
    expect(report.byRule).toEqual([
      {
        rule: 'both',
        sides: {
          old: { mode: 'enforce', events: 18, sessions: sessions(0, 1, 2, 0) },
          new: { mode: 'enforce', events: 18, sessions: sessions(0, 2, 1, 0) },
        },
      },
      { rule: 'added', sides: { new: { mode: 'shadow', events: 18, sessions: sessions(0, 0, 0, 2) } } },
      { rule: 'gone', sides: { old: { mode: 'enforce', events: 18, sessions: sessions(0, 0, 0, 1) } } },
    ]);
    expect(report.levels).toEqual({ old: sessions(0, 1, 1, 1), new: sessions(0, 2, 1, 0) });
    expect([report.higher, report.lower]).toEqual([0, 2]);
    expect(report.moves.killed.paused).toBe(1);
    expect(report.notable.map(({ session }) => session)).toEqual(['six', 'nine']);
  });

  it('tells without old rules which sessions are not clear, the highest first', async () => {
    const { report } = await withFiles([lines.join('\n')], (paths) => backtested(paths, { new: old }));
    expect(report.notable.map(({ session, outcome }) => `${session} ${outcome.new.level}`)).toEqual([
      'nine killed',
      'six paused',
      'three watch',
    ]);
    expect(report.notable[0]!.outcome.new.causes.killed).toMatchObject({ rule: 'gone', event: 9, place: { at: 18 } });
  });

  it('sets what was stopped against the labels, and when it was', async () => {
    const labels = [
      { session: 'three', label: 'benign', harmSeqs: [] },
      { session: 'six', label: 'attack', harmSeqs: [1, 4] },
      { session: 'nine', label: 'attack', harmSeqs: [5, 2] },
      { session: 'nobody', label: 'attack' },
    ];
    const content = labels.map((label) => JSON.stringify(label)).join('\n');
    const { report } = await withFiles([lines.join('\n'), content], async ([path, known]) =>
      backtested([path!], { new: old }, { labels: new LabelTable(await readLabels(known!)) }),
    );
    const counts = report.labels!.rows.map(({ label, sessions, sides: { new: side } }) => [
      label,
      sessions,
      side.stopped.count,
      side.killed.count,
      side.inTime && `${side.inTime.count} of ${side.inTime.of}`,
    ]);
    // Both are paused at their fifth event, number 4 from 0: too late for the one, in time for the other.
    expect(counts).toEqual([
      ['attack', 2, 2, 1, '1 of 2'],
      ['benign', 1, 0, 0, undefined],
    ]);
    expect(report.labels).toMatchObject({ unlabelled: 0, unused: 1 });
  });
});

describe('labels', () => {
  it('are refused with every mistake and its line', async () => {
    const content = ['{"session":"s","label":"a"}', 'x', '{"session":"t"}', '{"session":"s","label":"b"}'].join('\n');
    await withFiles([content], async ([path]) => {
      await expect(readLabels(path!)).rejects.toThrow(
        /:2: the line is not JSON\n.*:3: label: found nothing.*\n.*:4: the session is labelled a already, here b$/,
      );
    });
  });

  it.each([
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [10, 10, 0.7225, 1],
    [1, 300, 0.0006, 0.0186],
    [0, 0, 0, 1],
  ])('%i of %i lies between %f and %f (Wilson, 95 %)', (count, of, low, high) => {
    const share = wilson(count, of);
    expect(share.low).toBeCloseTo(low, 4);
    expect(share.high).toBeCloseTo(high, 4);
  });
});

import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import type { Output } from '../../src/domain/output.ts';
import { Partition } from '../../src/engine/partition.ts';
import { decodeSession, encodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { NEVER } from '../../src/engine/standing/pause.ts';
import { needs } from '../../src/engine/step.ts';
import { commandsOf, findingsOf, Log, planOf } from './harness.ts';

const MINUTE = 60_000;
const B = `sha256:${'b'.repeat(64)}`;
/** A payment that nobody approves within five minutes. */
const UNAPPROVED = {
  within: '1h',
  measure: { n: { sequence: [{ match: { action: 'pay' } }, { missing: { action: 'auth' }, within: '5m' }] } },
  when: { pause: 'n > 0' },
};

type Happening = [minute: number, what: ActionEvent['action'] | 'tick'];

function happen(log: Log, happenings: readonly Happening[]): Output[][] {
  return happenings.map(([minute, what]) =>
    what === 'tick'
      ? log.tick(minute * MINUTE)
      : log.act(minute * MINUTE, { id: `${what} at ${minute}`, action: what }),
  );
}

describe('a sequence whose last step is missing', () => {
  it.each<[string, Record<string, unknown>, Happening[], string[]]>([
    [
      'is complete at its deadline, though the session does nothing more',
      {},
      [
        [0, 'pay'],
        [4.9, 'tick'],
        [5, 'tick'],
        [6, 'tick'],
      ],
      ['', '', 'pause s-1', ''],
    ],
    [
      'is not complete when what was awaited came',
      {},
      [
        [0, 'pay'],
        [4, 'auth'],
        [5, 'tick'],
        [9, 'tick'],
      ],
      ['', '', '', ''],
    ],
    [
      'pauses at most: an action of the session afterwards proves it, and kills',
      { when: { kill: 'n > 0' } },
      [
        [0, 'pay'],
        [5, 'tick'],
        [6, 'read'],
      ],
      ['', 'pause s-1', 'kill s-1'],
    ],
    [
      'kills where what counts for it did happen, silence or not',
      { measure: { ...UNAPPROVED.measure, all: 'count' }, when: { kill: 'n > 0 or all > 1' } },
      [
        [0, 'pay'],
        [1, 'read'],
      ],
      ['', 'kill s-1'],
    ],
    [
      'is noticed before the action of its own session that comes too late',
      {},
      [
        [0, 'pay'],
        [5, 'auth'],
      ],
      ['', 'pause s-1'],
    ],
    [
      'waits anew after a jump of the clock: over it nobody could say anything',
      {},
      [
        [0, 'pay'],
        [7, 'tick'],
        [11.9, 'tick'],
        [12, 'tick'],
      ],
      ['', '', '', 'pause s-1'],
    ],
    [
      'says nothing in the shadow but a finding',
      { mode: 'shadow' },
      [
        [0, 'pay'],
        [5, 'tick'],
      ],
      ['', ''],
    ],
    [
      'keeps its session, however long nobody could look',
      {},
      [
        [0, 'pay'],
        [9999, 'tick'],
        [10_003, 'tick'],
        [10_004, 'tick'],
      ],
      ['', '', '', 'pause s-1'],
    ],
  ])('%s', (_, rule, happenings, wanted) => {
    const log = new Log(planOf([{ ...UNAPPROVED, ...rule }]));
    expect(happen(log, happenings).map((outputs) => commandsOf(outputs).join())).toEqual(wanted);
  });

  it('names the last step that came, and says that nothing followed', () => {
    const log = new Log(planOf([UNAPPROVED]));
    const outputs = happen(log, [
      [0, 'pay'],
      [5, 'tick'],
    ])[1]!;
    const [output] = outputs.filter(({ topic }) => topic === 'commands');
    if (output?.topic !== 'commands') throw new Error('no command');
    expect(output.command).toMatchObject({
      triggerEventId: 'pay at 0',
      reason: expect.stringContaining('by its deadline: nothing came'),
      evidence: [{ eventId: 'pay at 0' }],
    });
    expect(findingsOf(outputs)).toEqual(['level_changed', 'decision_requested']);
  });

  it('is a finding in the shadow', () => {
    const log = new Log(planOf([{ ...UNAPPROVED, mode: 'shadow' }]));
    const all = happen(log, [
      [0, 'pay'],
      [5, 'tick'],
    ]);
    expect(all.map(findingsOf)).toEqual([[], ['shadow_hit']]);
  });

  it('is no longer awaited under a policy that does not ask for it', () => {
    const log = new Log(planOf([UNAPPROVED]));
    happen(log, [[0, 'pay']]);
    expect(log.partition.pending.size).toBe(1);
    log.partition.judgeUnder(planOf([{ when: { watch: 'n > 9' } }], {}, B));
    expect(happen(log, [[5, 'tick']]).map(commandsOf)).toEqual([[]]);
    expect([log.partition.pending.size, log.partition.nextDueMs]).toEqual([0, NEVER]);
  });

  it('is loaded from the checkpoint when it is due', () => {
    const log = new Log(planOf([UNAPPROVED]));
    happen(log, [[0, 'pay']]);
    const bytes = encodeSession(log.partition.find('s-1')!);
    const resumed = new Partition('topic-1', 0, structuredClone(log.partition.state));
    resumed.expect('s-1', readSessionHeader(bytes));
    const later = new Log(planOf([UNAPPROVED]), resumed);
    later.offset = log.offset;
    const dueMs = resumed.nextDueMs;
    expect(needs(resumed, [{ offset: 1, appendMs: dueMs - 1, body: { type: 'tick' } }]).sessions).toEqual([]);
    expect(needs(resumed, [{ offset: 1, appendMs: dueMs, body: { type: 'tick' } }]).sessions).toEqual(['s-1']);
    resumed.adopt(decodeSession('s-1', bytes));
    expect(happen(later, [[5, 'tick']])).toEqual(happen(log, [[5, 'tick']]));
  });

  it('leaves of the rule what the most severe exception does: which of them covered it is not known', () => {
    const lifted = (name: string, action: string, atMost: string) => {
      return { name, match: { action }, atMost, reason: 'known', owner: 'team', expires: '2026-12-31' };
    };
    const exceptions = [lifted('payments', 'pay', 'watch'), lifted('reads', 'read', 'pause')];
    const outputs = [1, 2].map((count) => {
      const log = new Log(planOf([{ ...UNAPPROVED, exceptions: exceptions.slice(0, count) }]));
      return happen(log, [
        [0, 'pay'],
        [5, 'tick'],
      ])[1]!;
    });
    expect(outputs.map(commandsOf)).toEqual([[], ['pause s-1']]);
    expect(outputs.map(findingsOf)).toEqual([
      ['bound_lifted', 'level_changed'],
      ['level_changed', 'decision_requested'],
    ]);
  });
});

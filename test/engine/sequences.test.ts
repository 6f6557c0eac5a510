import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/domain/command.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import type { Output } from '../../src/domain/output.ts';
import { commandsOf, Log, planOf } from './harness.ts';

const MINUTE = 60_000;
const READ = { match: { action: 'secret_read' } };
const SEND = { match: { action: 'send' } };
const APPROVAL = { missing: { action: 'auth' } };

type Act = [minute: number, action: ActionEvent['action'], resource?: string, outcome?: ActionEvent['outcome']];

function logOf(measure: Record<string, unknown>, when: Record<string, unknown> = { watch: 'n > 0' }): Log {
  return new Log(planOf([{ within: '1h', measure: { n: measure }, when }]));
}

function act(log: Log, [minute, action, resource, outcome = 'ok']: Act): Output[] {
  const about = resource === undefined ? {} : { resource: { id: resource } };
  return log.act(minute * MINUTE, { id: `${action} at ${minute}`, action, outcome, ...about });
}

/** Numbers of the actions, from 0, after which one more sequence is complete. */
function completedAt(measure: Record<string, unknown>, acts: readonly Act[]): number[] {
  const log = logOf(measure);
  let before = 0;
  return acts.flatMap((one, number) => {
    act(log, one);
    const session = log.partition.sessions.get('s-1')!;
    const [feature] = [...session.groups.values()][0]!.features.values();
    const now = feature!.total(session.clockMs);
    const isMore = now > before;
    before = now;
    return isMore ? [number] : [];
  });
}

function commandIn(outputs: readonly Output[]): Command {
  return outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []))[0]!;
}

describe('a sequence', () => {
  it.each<[string, Record<string, unknown>, Act[], number[]]>([
    [
      'is complete in its order only',
      { sequence: [READ, SEND] },
      [
        [0, 'send'],
        [1, 'secret_read'],
        [2, 'send'],
      ],
      [2],
    ],
    [
      'lets other actions lie between',
      { sequence: [READ, SEND] },
      [
        [0, 'secret_read'],
        [1, 'read'],
        [2, 'send'],
      ],
      [2],
    ],
    [
      'is not used up',
      { sequence: [READ, SEND] },
      [
        [0, 'secret_read'],
        [1, 'send'],
        [2, 'send'],
      ],
      [1, 2],
    ],
    [
      'takes each step by another action',
      { sequence: [SEND, { match: { action: ['send', 'auth'] } }] },
      [
        [0, 'send'],
        [1, 'send'],
      ],
      [1],
    ],
    [
      'asks for every run of a step',
      { sequence: [{ ...READ, runs: 2 }, SEND] },
      [
        [0, 'secret_read'],
        [1, 'send'],
        [2, 'secret_read'],
        [3, 'send'],
      ],
      [3],
    ],
    [
      'goes by the latest beginning: a new first step renews it',
      { sequence: [READ, SEND], maxspan: '3m' },
      [
        [0, 'secret_read'],
        [2, 'secret_read'],
        [4, 'send'],
        [5, 'send'],
      ],
      [2],
    ],
    [
      'measures within from the action before, also between runs',
      { sequence: [{ ...READ, runs: 2, within: '2m' }, SEND] },
      [
        [0, 'secret_read'],
        [2, 'secret_read'],
        [3, 'secret_read'],
        [9, 'send'],
      ],
      [3],
    ],
    [
      'takes gap as the within of all steps',
      { sequence: [READ, SEND, { match: { action: 'pay' } }], gap: '3m' },
      [
        [0, 'secret_read'],
        [2, 'send'],
        [4, 'pay'],
        [5, 'pay'],
      ],
      [2],
    ],
    [
      'is of the same values',
      { sequence: [READ, SEND], same: 'resource.id' },
      [
        [0, 'secret_read', 'a'],
        [1, 'send', 'b'],
        [2, 'send'],
        [3, 'send', 'a'],
      ],
      [3],
    ],
    [
      'is ended by until, of the same values',
      { sequence: [READ, SEND], same: ['resource.id'], until: { outcome: 'denied' } },
      [
        [0, 'secret_read', 'a'],
        [0, 'secret_read', 'b'],
        [1, 'auth', 'a', 'denied'],
        [2, 'send', 'a'],
        [3, 'send', 'b'],
      ],
      [4],
    ],
    [
      'is ended by what must be missing between two steps',
      { sequence: [READ, APPROVAL, SEND] },
      [
        [0, 'secret_read'],
        [1, 'auth'],
        [2, 'send'],
        [3, 'secret_read'],
        [4, 'send'],
        [5, 'auth'],
        [6, 'send'],
      ],
      [4],
    ],
    [
      'with a missing last step is complete at the first action after its time',
      { sequence: [SEND, { ...APPROVAL, within: '5m' }] },
      [
        [0, 'send'],
        [4, 'auth'],
        [6, 'send'],
        [8, 'read'],
        [11, 'read'],
        [12, 'read'],
      ],
      [4],
    ],
  ])('%s', (_, measure, acts, wanted) => {
    expect(completedAt(measure, acts)).toEqual(wanted);
  });
});

describe('temporal', () => {
  it.each<[string, Record<string, unknown>, Act[], number[]]>([
    [
      'is complete in any order',
      { temporal: [READ, SEND] },
      [
        [0, 'send'],
        [1, 'read'],
        [2, 'secret_read'],
      ],
      [2],
    ],
    [
      'lets one action be several steps',
      { temporal: [SEND, { match: { outcome: 'ok' } }] },
      [
        [0, 'read'],
        [1, 'send'],
      ],
      [1],
    ],
    [
      'asks for all runs within maxspan',
      { temporal: [{ ...READ, runs: 2 }, SEND], maxspan: '5m' },
      [
        [0, 'secret_read'],
        [1, 'send'],
        [5, 'secret_read'],
        [5.5, 'secret_read'],
      ],
      [3],
    ],
  ])('%s', (_, measure, acts, wanted) => {
    expect(completedAt(measure, acts)).toEqual(wanted);
  });
});

describe('a command that a sequence caused', () => {
  it('names the steps that completed it in order, however much came between', () => {
    const log = logOf({ sequence: [{ ...READ, runs: 2 }, SEND] }, { pause: 'n > 0' });
    for (const one of [
      [0, 'secret_read'],
      [1, 'secret_read'],
    ] as Act[])
      act(log, one);
    for (let i = 2; i < 30; i++) act(log, [i, 'read']);
    const command = commandIn(act(log, [40, 'send']));
    expect(command.evidence.map(({ eventId }) => eventId)).toEqual([
      'secret_read at 0',
      'secret_read at 1',
      'send at 40',
    ]);
    expect(command.evidenceOmitted).toBe(0);
  });

  it('counts the steps that it leaves out', () => {
    const log = logOf({ sequence: [{ ...READ, runs: 12 }, SEND] }, { pause: 'n > 0' });
    for (let i = 0; i < 12; i++) act(log, [i, 'secret_read']);
    const command = commandIn(act(log, [12, 'send']));
    expect(command.evidence.map(({ eventId }) => eventId)).toEqual([
      ...[5, 6, 7, 8, 9, 10, 11].map((i) => `secret_read at ${i}`),
      'send at 12',
    ]);
    expect(command.evidenceOmitted).toBe(5);
  });

  it('pauses and does not kill where a step came out of its order; in its order it kills', () => {
    const measure = { sequence: [READ, SEND], maxspan: '10m' };
    const late = logOf(measure, { kill: 'n > 0' });
    act(late, [5, 'secret_read']);
    expect(commandsOf(late.act(4 * MINUTE, { action: 'send' }, 5 * MINUTE))).toEqual(['pause s-1']);
    expect(commandsOf(act(late, [6, 'send']))).toEqual(['kill s-1']);
  });

  it('pauses and does not kill where what would have ended it came out of its order', () => {
    const log = logOf({ sequence: [READ, APPROVAL, SEND] }, { kill: 'n > 0' });
    act(log, [5, 'secret_read']);
    log.act(4 * MINUTE, { action: 'auth' }, 5 * MINUTE);
    expect(commandsOf(act(log, [6, 'send']))).toEqual(['pause s-1']);
  });
});

describe('the state of a sequence', () => {
  const A = `sha256:${'a'.repeat(64)}`;
  const B = `sha256:${'b'.repeat(64)}`;
  const rule = (steps: unknown[], more: Record<string, unknown> = {}) => ({
    within: '1h',
    measure: { n: { sequence: steps, maxspan: '10m', ...more } },
    when: { pause: 'n > 0' },
  });

  it.each<[string, ReturnType<typeof rule>, string]>([
    [
      'goes on under other names, thresholds and spellings',
      rule([{ ...READ, name: 'x', runs: 1 }, SEND], { maxspan: '600s' }),
      'paused',
    ],
    [
      'begins at nothing when a step means something else',
      rule([{ match: { action: ['secret_read'] } }, SEND]),
      'clear',
    ],
  ])('%s', (_, next, level) => {
    const log = new Log(planOf([rule([READ, SEND])], {}, A));
    act(log, [0, 'secret_read']);
    log.partition.judgeUnder(planOf([next], {}, B));
    act(log, [1, 'send']);
    expect(log.level()).toBe(level);
  });

  it('ends with the session where the rule counts over the session', () => {
    const log = new Log(planOf([{ ...rule([READ, SEND]), within: 'session' }], { idleEndMs: 5 * MINUTE }));
    act(log, [0, 'secret_read']);
    act(log, [6, 'send']);
    expect(log.level()).toBe('clear');
  });
});

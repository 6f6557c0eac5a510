import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { judge, measuresOf } from '../../src/engine/judge.ts';
import { Log, planOf } from './harness.ts';

const MINUTE = 60_000;
type Step = [atMs: number, event: Partial<ActionEvent>];

/** What the measures of a rule are after the steps. */
function measured(rule: Record<string, unknown>, steps: Step[], others: Record<string, unknown>[] = []) {
  const log = new Log(planOf([{ when: { watch: true }, mode: 'shadow', ...rule }, ...others]));
  for (const [atMs, event] of steps) log.act(atMs, event);
  const session = log.partition.sessions.get('s-1')!;
  const [group] = log.partition.plan!.groups.values();
  return measuresOf(judge(group!.rules[0]!, session.groups.get(group!.id)!, session));
}

function paid(...amounts: (number | undefined)[]): Step[] {
  return amounts.map((amount, i) => [i, amount === undefined ? {} : { amount }]);
}

const FAILED = { outcome: 'error', argsDigest: 'd' } as const;
const DONE = { outcome: 'ok', argsDigest: 'd' } as const;

describe('a measure with its own match', () => {
  const rule = {
    match: { action: ['read', 'send'], outcome: 'ok' },
    measure: {
      all: 'count',
      sends: { of: 'count', match: { action: 'send' } },
      large: { of: 'count', match: [{ 'bytes|gt': 10 }, { action: 'pay' }] },
      now: { of: 'count', match: {}, within: '1m' },
      life: { of: 'distinct(tool)', match: { action: 'send' }, within: 'session' },
    },
  };

  it('counts what passes it and the match of the rule, over its own window', () => {
    const steps: Step[] = [
      [0, { action: 'send', tool: 'a' }],
      [1, { action: 'read', bytes: 11 }],
      [2, { action: 'pay', bytes: 11 }],
      [3, { action: 'send', outcome: 'denied' }],
      [2 * MINUTE, { action: 'send', tool: 'b', affected: 5 }],
    ];
    expect(measured(rule, steps)).toEqual({ all: 7, sends: 6, large: 1, now: 5, life: 2 });
  });

  it('shows the steps that some measure counts, with what the first of these takes of them', () => {
    const log = new Log(
      planOf([{ measure: { sends: { of: 'count', match: { action: 'send' } } }, when: { pause: 'sends > 2' } }]),
    );
    log.act(0, { action: 'send', affected: 2 });
    log.act(1, { action: 'read' });
    const outputs = log.act(2, { action: 'send' });
    const command = outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []))[0]!;
    expect(command.evidence.map(({ eventId, contribution }) => [eventId, contribution])).toEqual([
      ['e-0', 2],
      ['e-2', 1],
    ]);
  });

  it('goes on counting under a policy with other thresholds, and begins anew under another own match', () => {
    const policy = (match: object, kill: string, hash: string) =>
      planOf([{ measure: { n: { of: 'count', match } }, when: { kill } }], {}, `sha256:${hash.repeat(64)}`);
    const log = new Log(policy({ action: 'delete' }, 'n > 9', 'a'));
    for (let i = 0; i < 3; i++) log.act(i, {});
    log.partition.judgeUnder(policy({ action: 'delete', outcome: 'ok' }, 'n > 1', 'b'));
    log.act(3, {});
    expect(log.level()).toBe('clear');
    log.partition.judgeUnder(policy({ outcome: 'ok', action: 'delete' }, 'n == 2', 'c'));
    log.act(4, {});
    expect(log.level()).toBe('killed');
  });

  it('is asked at an action that counts in no measure', () => {
    const log = new Log(
      planOf([
        { measure: { n: { of: 'count', match: { action: 'send' } } }, when: { kill: 'n > 0 and session.actions > 1' } },
      ]),
    );
    log.act(0, { action: 'send' });
    expect(log.level()).toBe('clear');
    log.act(1, { action: 'read' });
    expect(log.level()).toBe('killed');
  });
});

describe('avg, min and max', () => {
  const measure = { mean: 'avg(amount)', low: 'min(amount)', high: 'max(amount)' };
  it.each<[string, Step[], [mean: number, low: number, high: number]]>([
    ['without a number they are 0', paid(undefined), [0, 0, 0]],
    ['are over the numbers that are there', paid(1, undefined, 5), [3, 1, 5]],
    ['take a zero as a number', paid(0, 4), [2, 0, 4]],
    ['leave negative ones out of the average only', paid(-10, 4, 6), [5, -10, 6]],
    ['are never more than 2^53', paid(1e300), [2 ** 53, 2 ** 53, 2 ** 53]],
    ['forget what has left the window', [...paid(100, 1), [10 * MINUTE, { amount: 3 }]], [2, 1, 3]],
    [
      'take the retry of a failed call once',
      [
        [0, { ...FAILED, amount: 10 }],
        [1, { ...DONE, amount: 10 }],
        [2, { amount: 40 }],
      ],
      [25, 10, 40],
    ],
    [
      'take a retry with a higher number',
      [
        [0, { ...FAILED, amount: 1 }],
        [1, { ...DONE, amount: 9 }],
      ],
      [5, 1, 9],
    ],
  ])('%s', (_, steps, [mean, low, high]) => {
    expect(measured({ measure }, steps)).toEqual({ mean, low, high });
  });

  it.each<[string, string]>([
    ['an average', 'avg(amount)'],
    ['a maximum', 'max(amount)'],
    ['a percentile', 'percentile(amount, 50)'],
    ['a minimum', 'min(amount)'],
  ])('%s of moved marks alone pauses and does not kill', (_, of) => {
    const late = new Log(planOf([{ match: { tool: 'pay' }, measure: { n: of }, when: { kill: 'n > 0' } }]));
    late.act(30 * MINUTE, { tool: 'other' });
    late.act(20 * MINUTE, { tool: 'pay', amount: 5 }, 31 * MINUTE);
    expect(late.level()).toBe('paused');
    late.act(32 * MINUTE, { tool: 'pay', amount: 5 });
    expect(late.level()).toBe('killed');
  });
});

describe('percentile', () => {
  it.each<[string, string, Step[], number]>([
    ['is 0 without a number', '50', paid(undefined), 0],
    ['is the number that so many of 100 do not exceed', '75', paid(4, 1, undefined, 3, 2), 3],
    ['is one of the numbers, of the higher ones where it lies between two', '51', paid(1, 9), 9],
    ['is the lowest at 0', '0', paid(5, -2, 7), -2],
    ['is the highest at 100', '100', paid(5, -2, 7), 7],
    ['forgets what has left the window', '100', [...paid(100, 1), [10 * MINUTE, { amount: 3 }]], 3],
    [
      'takes a retry as a number of its own',
      '50',
      [
        [0, { ...FAILED, amount: 1 }],
        [1, { ...DONE, amount: 1 }],
        [2, { amount: 9 }],
      ],
      1,
    ],
  ])('%s', (_, p, steps, expected) => {
    expect(measured({ measure: { n: `percentile(amount, ${p})` } }, steps)).toEqual({ n: expected });
  });

  it('begins anew with the life of the session where that is its window', () => {
    const steps: Step[] = [...paid(100), [40 * MINUTE, { amount: 3 }]];
    expect(measured({ within: 'session', measure: { n: 'percentile(amount, 100)' } }, steps)).toEqual({ n: 3 });
  });
});

describe('firstSeen', () => {
  const to = (target: string): Partial<ActionEvent> => ({ resource: { id: target } });
  it.each<[string, string, Record<string, unknown>, Step[], number]>([
    [
      'a value once',
      'firstSeen(target)',
      {},
      [
        [0, to('a')],
        [1, to('a')],
        [2, to('b')],
      ],
      2,
    ],
    [
      'each new target of a call',
      'firstSeen(target)',
      {},
      [
        [0, to('a')],
        [1, { targets: ['a', 'b', 'c', 'b'] }],
      ],
      3,
    ],
    [
      'what is in the window',
      'firstSeen(target)',
      {},
      [
        [0, to('a')],
        [11 * MINUTE, to('a')],
        [12 * MINUTE, to('b')],
      ],
      1,
    ],
    [
      'a known value of an earlier life as new',
      'firstSeen(target)',
      { within: '1h' },
      [
        [0, to('a')],
        [40 * MINUTE, to('a')],
      ],
      2,
    ],
    [
      'what the horizon does not know',
      'firstSeen(target, 1h)',
      {},
      [
        [0, to('a')],
        [50 * MINUTE, to('a')],
        [100 * MINUTE, to('a')],
      ],
      0,
    ],
    [
      'what the horizon has forgotten',
      'firstSeen(target, 1h)',
      {},
      [
        [0, to('a')],
        [60 * MINUTE, to('a')],
      ],
      1,
    ],
  ])('counts %s', (_, n, rule, steps, expected) => {
    expect(measured({ measure: { n }, ...rule }, steps)).toEqual({ n: expected });
  });

  it('knows the 256 values that were seen last: one that was forgotten is new again', () => {
    const steps: Step[] = Array.from({ length: 257 }, (_, i) => [i, to(`t-${i}`)]);
    expect(measured({ measure: { n: 'firstSeen(target)' } }, [...steps, [300, to('t-256')], [301, to('t-0')]])).toEqual(
      {
        n: 258,
      },
    );
  });

  it('keeps a session as long as its horizon looks back', () => {
    const log = new Log(planOf([{ measure: { n: 'firstSeen(target, 7d)' }, when: { watch: 'n < 0' } }]));
    expect(log.partition.plan!.forgetMs).toBeGreaterThan(7 * 86_400_000);
  });
});

describe('points', () => {
  const weight = 'affected * (resource.sensitivity == "high" ? 5 : 1) + (approval.required ? 0 : amount)';
  const high: Partial<ActionEvent> = { resource: { sensitivity: 'high' }, affected: 2 };
  it.each<[string, Record<string, unknown>, Step[], number]>([
    [
      'add the weight of each action',
      { weight },
      [
        [0, high],
        [1, {}],
        [2, { amount: 4 }],
      ],
      16,
    ],
    [
      'read what is absent as 0, as an empty text or as false',
      { weight: 'bytes + (purpose == "" ? 2 : 0)' },
      [[0, {}]],
      2,
    ],
    [
      'take nothing back',
      { weight: 'amount' },
      [
        [0, { amount: 5 }],
        [1, { amount: -3 }],
      ],
      5,
    ],
    [
      'count an action as 1 where its weight has no value',
      { weight: '10 / amount' },
      [
        [0, { amount: 5 }],
        [1, {}],
      ],
      3,
    ],
    ['are at most 2^53 for one action', { weight: 'amount * 1e300' }, [[0, { amount: 1e5 }]], 2 ** 53],
    [
      'count a retry once',
      { weight },
      [
        [0, { ...FAILED, affected: 3 }],
        [1, { ...DONE, affected: 4 }],
      ],
      4,
    ],
    [
      'halve with every half-life',
      { measure: { n: 'points(10m)' }, weight: 'affected' },
      [
        [0, { affected: 8 }],
        [20 * MINUTE, { affected: 1 }],
      ],
      3,
    ],
    [
      'run on over the lives of the session',
      { within: 'session', measure: { n: 'points(1h)' }, weight: 'affected' },
      [
        [0, { affected: 8 }],
        [60 * MINUTE, { affected: 1 }],
      ],
      5,
    ],
  ])('%s', (_, rule, steps, expected) => {
    expect(measured({ measure: { n: 'points' }, ...rule }, steps)).toEqual({ n: expected });
  });

  it('fade by time alone: what an agent does in between takes nothing away', () => {
    const rule = { measure: { n: 'points(10m)' }, weight: 'affected', match: { action: 'delete' } };
    const idle: Step[] = [
      [0, { affected: 64 }],
      [10 * MINUTE, {}],
    ];
    const busy: Step[] = [...Array.from({ length: 500 }, (_, i): Step => [i * 1000, { action: 'read' }])];
    expect(measured(rule, [idle[0]!, ...busy.slice(1), idle[1]!])).toEqual(measured(rule, idle));
  });

  it('rest no kill on an action whose time was moved by more than 1/60 of the half-life', () => {
    const log = new Log(planOf([{ measure: { n: 'points(1h)' }, weight: 'affected', when: { kill: 'n > 5' } }]));
    log.act(10 * MINUTE, {});
    log.act(8 * MINUTE, { affected: 50 }, 10 * MINUTE);
    expect(log.level()).toBe('paused');
  });
});

describe('share', () => {
  const rule = { match: { action: 'delete' }, measure: { deleting: 'share' } };
  const read = { action: 'read' } as const;
  it.each<[string, Record<string, unknown>, Step[], number]>([
    [
      'of the objects that all actions of the session touch',
      {},
      [
        [0, { ...read, affected: 6 }],
        [1, { affected: 2 }],
      ],
      0.25,
    ],
    [
      'of the same window',
      {},
      [
        [0, read],
        [10 * MINUTE, {}],
      ],
      1,
    ],
    [
      'of the same life',
      { within: 'session' },
      [
        [0, read],
        [40 * MINUTE, {}],
      ],
      1,
    ],
    [
      'of a filter of its own',
      { match: {}, measure: { s: { of: 'share', match: read } } },
      [
        [0, read],
        [1, {}],
      ],
      0.5,
    ],
    [
      'where a retry counts once in both',
      {},
      [
        [0, read],
        [1, FAILED],
        [2, DONE],
      ],
      0.5,
    ],
    [
      'is never above 1, though the failed call of a retry counted in the whole alone and has left it',
      { within: '1m', match: { outcome: 'ok' } },
      [
        [0, { ...FAILED, affected: 3 }],
        [30_000, { ...DONE, affected: 3 }],
        [61_000, { argsDigest: 'e' }],
      ],
      1,
    ],
  ])('%s', (_, more, steps, share) => {
    expect(Object.values(measured({ ...rule, ...more }, steps))).toEqual([share]);
  });

  it('compares the same stretch of time, also beside a count that is older', () => {
    const counting = { id: 'counts', match: { action: 'delete' }, when: { watch: false, pause: 'n > 99' } };
    const log = new Log(planOf([counting]));
    for (let i = 0; i < 8; i++) log.act(i, {});
    const sharing = { ...counting, measure: { n: 'count', deleting: 'share' }, when: { kill: 'deleting > 0.5' } };
    log.partition.judgeUnder(planOf([sharing], {}, `sha256:${'b'.repeat(64)}`));
    log.act(10, read);
    log.act(11, {});
    expect(log.level()).toBe('clear');
  });
});

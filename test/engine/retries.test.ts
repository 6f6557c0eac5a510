import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { Log, planOf } from './harness.ts';

const MINUTE = 60_000;
type Step = [atMs: number, event: Partial<ActionEvent>];

const FAILED = { outcome: 'error', argsDigest: 'd' } as const;
const DONE = { outcome: 'ok', argsDigest: 'd' } as const;

/** What the measure is after the steps. */
function measured(rule: Record<string, unknown>, steps: Step[]): number {
  const log = new Log(planOf([{ measure: { n: 'count' }, when: { watch: 'n >= 0' }, mode: 'shadow', ...rule }]));
  let measure = Number.NaN;
  for (const [atMs, event] of steps) {
    log.act(atMs, event);
    const [group] = log.partition.sessions.get('s-1')!.groups.values();
    const [feature] = group?.features.values() ?? [];
    measure = feature?.total(log.partition.sessions.get('s-1')!.clockMs) ?? 0;
  }
  return measure;
}

describe('a retry adds nothing to what its failed call added and what still stands', () => {
  it.each<[string, Record<string, unknown>, Step[], number]>([
    [
      'the same call',
      {},
      [
        [0, FAILED],
        [1, FAILED],
        [2, DONE],
      ],
      1,
    ],
    [
      'after its success it counts again',
      {},
      [
        [0, FAILED],
        [1, DONE],
        [2, DONE],
      ],
      2,
    ],
    [
      'the failed call did not pass the filter',
      { match: { outcome: 'ok' } },
      [
        [0, FAILED],
        [1, DONE],
      ],
      1,
    ],
    [
      'denied is failed too',
      {},
      [
        [0, { ...FAILED, outcome: 'denied' }],
        [1, DONE],
      ],
      1,
    ],
    [
      'the failed call lacked what the filter asks for',
      { match: { 'approval.status': 'approved' } },
      [
        [0, FAILED],
        [1, { ...DONE, approval: { status: 'approved' } }],
      ],
      1,
    ],
    [
      'the success touches more than the failure said',
      {},
      [
        [0, FAILED],
        [1, { ...DONE, affected: 500 }],
      ],
      500,
    ],
    [
      'a sum that only the success knows',
      { measure: { n: 'sum(bytes)' } },
      [
        [0, FAILED],
        [1, { ...DONE, bytes: 8123 }],
      ],
      8123,
    ],
    [
      'a sum that both say',
      { measure: { n: 'sum(amount)' } },
      [
        [0, { ...FAILED, amount: 70 }],
        [1, { ...DONE, amount: 70 }],
      ],
      70,
    ],
    [
      'targets are told apart anyway',
      { measure: { n: 'distinct(target)' } },
      [
        [0, { ...FAILED, targets: ['a'] }],
        [1, { ...DONE, targets: ['a', 'b'] }],
      ],
      2,
    ],
    [
      'attempts count each',
      { measure: { n: 'attempts' } },
      [
        [0, FAILED],
        [1, FAILED],
        [2, DONE],
      ],
      3,
    ],
    [
      'the failed call has left the window',
      { within: '1m' },
      [
        [0, FAILED],
        [2 * MINUTE, DONE],
      ],
      1,
    ],
    [
      'a chain of failures outlives the window',
      { within: '10m' },
      [0, 4, 8, 12].map((at) => [at * MINUTE, FAILED] as Step),
      1,
    ],
    [
      'five minutes after',
      {},
      [
        [0, FAILED],
        [5 * MINUTE, DONE],
      ],
      1,
    ],
    [
      'more than five minutes after',
      {},
      [
        [0, FAILED],
        [5 * MINUTE + 1, DONE],
      ],
      2,
    ],
    [
      'another tool',
      {},
      [
        [0, FAILED],
        [1, { ...DONE, tool: 'other' }],
      ],
      2,
    ],
    [
      'another server',
      {},
      [
        [0, FAILED],
        [1, { ...DONE, toolServer: 'other' }],
      ],
      2,
    ],
    [
      'another resource',
      {},
      [
        [0, FAILED],
        [1, { ...DONE, resource: { id: 'other' } }],
      ],
      2,
    ],
    [
      'other arguments',
      {},
      [
        [0, FAILED],
        [1, { ...DONE, argsDigest: 'other' }],
      ],
      2,
    ],
    [
      'without arguments nothing is a retry',
      {},
      [
        [0, { outcome: 'error' }],
        [1, { outcome: 'ok' }],
      ],
      2,
    ],
    [
      'of 17 open calls the oldest is forgotten',
      {},
      [
        ...Array.from({ length: 17 }, (_, i): Step => [i, { ...FAILED, argsDigest: `d-${i}` }]),
        [20, { ...DONE, argsDigest: 'd-0' }],
        [21, { ...DONE, argsDigest: 'd-1' }],
      ],
      18,
    ],
  ])('%s', (_, rule, steps, expected) => {
    expect(measured(rule, steps)).toBe(expected);
  });

  it('in a new life of the session it counts: what the failed call added is gone', () => {
    const rule = { match: { action: 'delete' }, within: 'session', when: { kill: 'n > 0 and session.actions == 1' } };
    const log = new Log(planOf([rule], { maxLifetimeMs: 2 * MINUTE }));
    log.act(0, { action: 'read' });
    log.act(1 * MINUTE, FAILED);
    log.act(2 * MINUTE, DONE);
    expect(log.level()).toBe('killed');
  });

  it('under a policy with a new filter it counts: the failed call never passed that', () => {
    const log = new Log(planOf([{ when: { kill: 'n > 9' } }]));
    log.act(0, FAILED);
    const next = planOf([{ match: { action: 'delete' }, when: { kill: 'n > 0' } }], {}, `sha256:${'b'.repeat(64)}`);
    log.partition.judgeUnder(next);
    log.act(1, DONE);
    expect(log.level()).toBe('killed');
  });
});

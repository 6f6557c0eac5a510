import { describe, expect, it } from 'vitest';
import { Command } from '../../src/domain/command.ts';
import { Finding } from '../../src/domain/finding.ts';
import { Verdict } from '../../src/domain/output.ts';
import { SessionState } from '../../src/domain/session.ts';
import { decodeSession, encodeSession } from '../../src/engine/session/codec.ts';
import { snapshotOf } from '../../src/engine/session/snapshot.ts';
import { step } from '../../src/engine/step.ts';
import { commandsOf, findingsOf, Log, planOf, START_MS } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DELETES = { match: { action: 'delete', outcome: 'ok' }, when: { watch: 'n > 2', pause: 'n > 4', kill: 'n > 6' } };

describe('levels', () => {
  it('rise one by one with the sum, and each change is said once', () => {
    const log = new Log(planOf([DELETES]));
    const said = Array.from({ length: 8 }, (_, i) => {
      const outputs = log.act(i * SECOND);
      return [log.level(), ...commandsOf(outputs), ...findingsOf(outputs)].join(' ');
    });
    expect(said).toEqual([
      'clear',
      'clear',
      'watch level_changed',
      'watch',
      'paused pause s-1 level_changed decision_requested',
      'paused',
      'killed kill s-1 level_changed',
      'killed action_after_kill',
    ]);
  });

  it('are left only by watch, after the hold time without a condition that holds', () => {
    const log = new Log(planOf([DELETES], { watchHoldMs: 10 * MINUTE }));
    for (const at of [0, 1, 2]) log.act(at * SECOND);
    log.act(9 * MINUTE, { action: 'read' });
    expect(log.level()).toBe('watch');
    // The window is empty by now, and no watch condition has held since second 2.
    expect(findingsOf(log.act(11 * MINUTE, { action: 'read' }))).toEqual(['level_changed']);
    expect(log.level()).toBe('clear');
  });

  it('keep watch while the condition holds over the life of the session, without any further match', () => {
    const log = new Log(planOf([{ ...DELETES, within: 'session' }]));
    for (const at of [0, 1, 2]) log.act(at * SECOND);
    for (const at of [9, 18, 27]) log.act(at * MINUTE, { action: 'read' });
    expect(log.level()).toBe('watch');
  });

  it('do not fall from paused, however long nothing happens', () => {
    const log = new Log(planOf([DELETES]));
    for (let i = 0; i < 5; i++) log.act(i * SECOND);
    log.act(29 * 24 * 60 * MINUTE, { action: 'read' });
    expect(log.level()).toBe('paused');
  });
});

describe('a command', () => {
  it('says who, what, where, why and how, in the shape of its schema', () => {
    const log = new Log(
      planOf([
        {
          ...DELETES,
          baselineDefaults: { 'n.p99': 2 },
          when: { pause: 'n > 2 * baseline.n.p99' },
          explain: '{n} deletions, usual is {baseline.n.p99}',
        },
      ]),
    );
    const outputs = Array.from({ length: 5 }, (_, i) =>
      log.act(i * SECOND, { tenant: 'corp', principal: { id: 'kim' }, resource: { id: `m-${i}` } }),
    ).flat();
    const command = outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []))[0]!;
    expect(Command.parse(command)).toEqual(command);
    expect(command).toMatchObject({
      action: 'pause',
      session: 's-1',
      agent: { id: 'agent-1' },
      principal: { id: 'kim' },
      tenant: 'corp',
      triggerEventId: 'e-4',
      rule: 'test-rule',
      score: 5,
      threshold: 4,
      reason: '5 deletions, usual is 2',
      measures: { n: 5 },
      baseline: { 'n.p99': 2 },
      evidenceOmitted: 0,
      position: { topicId: 'topic-1', partition: 0, offset: '4' },
    });
    expect(command.evidence.map((one) => [one.eventId, one.resource, one.contribution])).toEqual(
      [0, 1, 2, 3, 4].map((i) => [`e-${i}`, `m-${i}`, 1]),
    );
    for (const output of outputs) {
      if (output.topic === 'findings') expect(Finding.parse(output.finding)).toEqual(output.finding);
      if (output.topic === 'verdicts')
        expect(Verdict.parse(output.verdict)).toMatchObject({ level: 'paused', command: command.id });
    }
  });

  it('has an id of its cause alone: another offset, partition or topic is another id, the same log the same', () => {
    const ids = [0, 0, 7].map((offset) => {
      const log = new Log(planOf([{ when: { kill: 'n > 0' } }]));
      log.offset = offset;
      return log.act(0).flatMap((output) => (output.topic === 'commands' ? [output.command.id] : []))[0];
    });
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('comes from an enforced rule only; a shadow rule says once what it would have done', () => {
    const log = new Log(planOf([{ ...DELETES, mode: 'shadow' }]));
    const outputs = Array.from({ length: 8 }, (_, i) => log.act(i * SECOND)).flat();
    expect(commandsOf(outputs)).toEqual([]);
    expect(findingsOf(outputs)).toEqual(['shadow_hit', 'shadow_hit', 'shadow_hit']);
    expect(log.level()).toBe('clear');
  });
});

describe('a shadow rule', () => {
  it('says nothing after its last day by the time of the log, and goes on counting', () => {
    const rule = { ...DELETES, mode: 'shadow', within: '3d' };
    const log = new Log(planOf([{ ...rule, shadowUntil: '2026-01-05' }]));
    const midnightMs = 15 * 60 * MINUTE; // the log begins at 09:00 UTC
    const said = [-3, -2, -1, 0, 1, 2, 3].map((i) => findingsOf(log.act(midnightMs + i * SECOND)));
    expect(said).toEqual([[], [], ['shadow_hit'], [], [], [], []]);
    log.partition.judgeUnder(
      planOf([{ ...rule, mode: 'enforce', when: { kill: 'n > 7' } }], {}, `sha256:${'b'.repeat(64)}`),
    );
    log.act(midnightMs + 4 * SECOND);
    expect(log.level()).toBe('killed');
  });
});

describe('what counts', () => {
  it('weighs affected objects, once for each event however often it arrives', () => {
    const log = new Log(planOf([DELETES]));
    for (let i = 0; i < 10; i++)
      log.act(i * SECOND, { id: 'same', time: new Date(START_MS).toISOString(), affected: 2 });
    expect(log.level()).toBe('clear');
    log.act(11 * SECOND, { affected: 5 });
    expect(log.level()).toBe('killed');
    expect(log.partition.state.accounting).toMatchObject({ judged: 2, repeated: 9 });
  });

  it('adds amounts that no double can hold together, and still knows that they are too much', () => {
    const log = new Log(planOf([{ measure: { paid: 'sum(amount)' }, when: { kill: 'paid > 1000' } }]));
    for (const at of [0, 1]) log.act(at, { amount: 1.7e308 });
    expect(log.level()).toBe('killed');
    const later = new Log(planOf([{ measure: { paid: 'sum(amount)' }, when: { pause: 'paid < 1000 and paid >= 7' } }]));
    later.act(0, { amount: 1e300 });
    later.act(9 * MINUTE, { amount: 7 });
    later.act(11 * MINUTE, { amount: 0 });
    expect(later.level()).toBe('paused');
  });

  it('counts an invalid affected as one and says so once', () => {
    const log = new Log(planOf([DELETES]));
    expect(findingsOf(log.act(0, { affected: -1 }))).toEqual(['invalid_affected']);
    expect(findingsOf(log.act(1, { affected: 'many' }))).toEqual([]);
  });

  it('survives an affected that no text can be made of', () => {
    const log = new Log(planOf([DELETES]));
    const affected = { toString: 1, valueOf: 1 };
    expect(findingsOf(log.act(0, { affected }))).toEqual(['invalid_affected']);
    expect(log.partition.state.accounting.judged).toBe(1);
  });

  it('takes an id with other content for a new event and says so', () => {
    const log = new Log(planOf([DELETES]));
    log.act(0, { id: 'x', resource: { id: 'a' } });
    expect(findingsOf(log.act(0, { id: 'x', resource: { id: 'b' } }))).toEqual(['event_id_reused']);
    expect(log.partition.state.accounting.judged).toBe(2);
  });

  const failing = { outcome: 'error', argsDigest: 'd' } as const;
  it.each([
    ['any outcome: the retry of a failed call counts once', {}, [failing, { ...failing, outcome: 'ok' as const }], 1],
    [
      'outcome ok: the failed call did not count, so its success must',
      { outcome: 'ok' },
      [failing, { ...failing, outcome: 'ok' as const }],
      1,
    ],
    ['a repeat after a success counts', {}, [{ argsDigest: 'd' }, { argsDigest: 'd' }], 2],
    ['without argsDigest nothing is a retry', {}, [{ outcome: 'error' as const }, { outcome: 'error' as const }], 2],
    ['another resource is another call', {}, [failing, { ...failing, resource: { id: 'b' } }], 2],
  ])('retries: %s', (_, match, events, count) => {
    const log = new Log(
      planOf([
        { match, measure: { n: 'count', tries: 'attempts' }, when: { kill: `n == ${count} and session.actions == 2` } },
      ]),
    );
    for (const [i, event] of events.entries()) log.act(i * SECOND, event);
    expect(log.level()).toBe('killed');
  });

  it('counts the retry again after five minutes', () => {
    const log = new Log(planOf([{ when: { kill: 'n >= 2' } }]));
    log.act(0, failing);
    log.act(4 * MINUTE, failing);
    expect(log.level()).toBe('clear');
    log.act(10 * MINUTE - 1, failing);
    expect(log.level()).toBe('killed');
  });
});

describe('time', () => {
  it('a date in the future cannot empty a window', () => {
    const log = new Log(planOf([DELETES]));
    for (const at of [0, 1, 2, 3]) log.act(at * SECOND);
    expect(findingsOf(log.act(4 * SECOND, { time: '2099-01-01T00:00:00Z' }))).toContain('time_out_of_bounds');
    expect(log.level()).toBe('paused');
  });

  it('marks that were moved in time pause, they do not kill', () => {
    const log = new Log(planOf([DELETES]));
    log.act(20 * MINUTE, { action: 'read' });
    for (let i = 0; i < 20; i++) log.act(i * SECOND, {}, 20 * MINUTE + i);
    expect(log.level()).toBe('paused');
    for (let i = 0; i < 7; i++) log.act(20 * MINUTE + i * SECOND);
    expect(log.level()).toBe('killed');
  });

  it('a session ends at the first record after the idle time: its life begins again, its windows run on', () => {
    const log = new Log(
      planOf(
        [
          { id: 'life', within: 'session', when: { watch: 'n > 3' } },
          { ...DELETES, within: '2h', when: { kill: 'n > 5' } },
        ],
        { idleEndMs: 30 * MINUTE },
      ),
    );
    for (const at of [0, 1, 2]) log.act(at * SECOND);
    for (const at of [0, 1, 2]) log.act(31 * MINUTE + at * SECOND);
    expect(log.level()).toBe('killed');
    expect(log.partition.sessions.get('s-1')!.actions).toBe(3);
  });

  it('a session that nothing can matter of is forgotten at a place in the log, a killed one is not', () => {
    const log = new Log(planOf([DELETES]));
    for (let i = 0; i < 8; i++) log.act(i * SECOND, { session: 'killed' });
    log.act(9 * SECOND, { session: 'quiet' });
    log.partition.takeChanges();
    log.act(24 * 60 * MINUTE, { session: 'other' });
    expect([...log.partition.sessions.keys()].sort()).toEqual(['killed', 'other']);
    expect(log.partition.takeChanges().get('quiet')).toBeNull();
  });

  it('an append time that falls back is found once', () => {
    const log = new Log(planOf([DELETES]));
    log.act(MINUTE);
    expect(findingsOf(log.act(MINUTE, {}, 0))).toContain('clock_jumped');
    expect(findingsOf(log.act(MINUTE, {}, 1))).not.toContain('clock_jumped');
  });
});

describe('bad rules and wide sessions', () => {
  it('an expression without a value counts as onError, is found once, and the other rules still count', () => {
    const log = new Log(
      planOf([
        {
          id: 'broken',
          onError: 'pause',
          measure: { n: 'count', paid: 'sum(amount)' },
          when: { kill: 'n / paid > 3' },
        },
        { ...DELETES, id: 'whole' },
      ]),
    );
    expect(findingsOf(log.act(0))).toEqual(['rule_failed', 'level_changed', 'decision_requested']);
    expect(log.level()).toBe('paused');
    expect(findingsOf(log.act(1))).toEqual([]);
    for (let i = 0; i < 6; i++) log.act(2 + i);
    expect(log.level()).toBe('killed');
  });

  it('more than eight principals are found once', () => {
    const log = new Log(planOf([{ when: { kill: 'n > 99' } }]));
    const found = Array.from({ length: 12 }, (_, i) => findingsOf(log.act(i, { principal: { id: `p-${i}` } })).length);
    expect(found).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  });
});

describe('policies', () => {
  it('before the first one actions are counted, not judged', () => {
    const log = new Log(planOf([DELETES]));
    const { partition } = log;
    const bare = new (partition.constructor as typeof import('../../src/engine/partition.ts').Partition)('t', 0);
    const event = {
      id: 'e',
      time: '2026-01-05T09:00:00Z',
      session: 's',
      agent: { id: 'a' },
      tool: 't',
      action: 'read',
    } as const;
    step(bare, { offset: 0, appendMs: START_MS, body: { type: 'action', event } });
    expect(bare.state.accounting.beforePolicy).toBe(1);
    expect(bare.sessions.size).toBe(0);
  });

  it('mean the same whatever the order of their keys', () => {
    const orders = [
      { calls: 'attempts', paid: 'sum(amount)' },
      { paid: 'sum(amount)', calls: 'attempts' },
    ];
    const states = orders.map((measure) => {
      const log = new Log(planOf([{ measure, when: { watch: 'paid > 1 and calls > 0' } }]));
      const outputs = [1, 2, 3].flatMap((i) => log.act(i, { amount: i / 4 }));
      return [outputs, encodeSession(log.partition.sessions.get('s-1')!)];
    });
    expect(states[0]).toEqual(states[1]);
  });

  it('a new threshold keeps the count, a new filter begins at nothing', () => {
    const log = new Log(planOf([DELETES]));
    for (const at of [0, 1, 2]) log.act(at);
    const next = planOf([{ ...DELETES, when: { pause: 'n > 3' } }], {}, `sha256:${'b'.repeat(64)}`);
    log.partition.plans.set(next.hash, next);
    step(log.partition, {
      offset: log.offset++,
      appendMs: START_MS + 3,
      body: { type: 'policy', policy: { hash: next.hash, chunks: 1, engine: 1 } },
    });
    log.act(4);
    expect(log.level()).toBe('paused');
  });
});

describe('the codec', () => {
  it('gives back the same bytes', () => {
    const log = new Log(
      planOf([
        DELETES,
        {
          id: 'distinct',
          measure: { n: 'distinct(target)', s: 'sum(amount)' },
          when: { watch: 'n > s' },
          mode: 'shadow',
        },
      ]),
    );
    for (let i = 0; i < 100; i++)
      log.act(i * 137, { action: 'read', resource: { id: `r-${i % 60}` }, amount: i / 3, source: 'gw', seq: i });
    const session = log.partition.sessions.get('s-1')!;
    const bytes = encodeSession(session);
    expect(encodeSession(decodeSession('s-1', bytes))).toEqual(bytes);
    const snapshot = snapshotOf(decodeSession('s-1', bytes));
    expect(SessionState.parse(snapshot)).toEqual(snapshot);
    expect(snapshot).toMatchObject({ session: 's-1', level: 'clear', actions: 100 });
    bytes[40]! ^= 1;
    expect(() => decodeSession('s-1', bytes)).toThrow(/checksum/);
  });
});

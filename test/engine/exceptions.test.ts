import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { Finding } from '../../src/domain/finding.ts';
import type { Output } from '../../src/domain/output.ts';
import { decodeSession, encodeSession } from '../../src/engine/session/codec.ts';
import { commandsOf, findingsOf, Log, planOf } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const B = `sha256:${'b'.repeat(64)}`;
const C = `sha256:${'c'.repeat(64)}`;

const DELETES = {
  match: { action: 'delete' },
  explain: '{n} deletions',
  when: { watch: 'n > 2', pause: 'n > 4', kill: 'n > 6' },
};
const CLEANUP = {
  name: 'cleanup',
  match: { purpose: 'cleanup' },
  atMost: 'watch',
  reason: 'the monthly cleanup',
  owner: 'mail-team',
  expires: '2026-01-05',
};
const covered: Partial<ActionEvent> = { purpose: 'cleanup' };

function logOf(exceptions: object[], rule: object = {}): Log {
  return new Log(planOf([{ ...DELETES, exceptions, ...rule }]));
}

function repeat(log: Log, times: number, event: Partial<ActionEvent> = {}, fromMs = log.offset * SECOND): Output[] {
  return Array.from({ length: times }, (_, i) => log.act(fromMs + i * SECOND, event)).flat();
}

function liftedIn(outputs: Output[]): Finding[] {
  return outputs.flatMap((output) =>
    output.topic === 'findings' && output.finding.code === 'bound_lifted' ? [output.finding] : [],
  );
}

describe('an exception', () => {
  it('caps what the rule does over the actions that it covers, which are still counted and watched', () => {
    const log = logOf([CLEANUP]);
    const outputs = repeat(log, 40, covered);
    expect(log.level()).toBe('watch');
    expect(commandsOf(outputs)).toEqual([]);
  });

  it('says once for each rise what would have happened, who answers for it, and over which steps', () => {
    const outputs = repeat(logOf([CLEANUP]), 40, covered);
    const lifted = liftedIn(outputs);
    expect(lifted.map(({ level, reason }) => [level?.to, reason])).toEqual([
      ['paused', 'not paused, by the exception cleanup: 5 deletions'],
      ['killed', 'not killed, by the exception cleanup: 7 deletions'],
    ]);
    expect(lifted[0]).toMatchObject({ rule: 'test-rule', exceptions: ['cleanup'], score: 5, threshold: 4 });
    expect(lifted[0]!.evidence).toHaveLength(5);
    for (const finding of lifted) expect(Finding.parse(finding)).toEqual(finding);
  });

  it('spares nothing that the other actions add up to, however many covered ones are mixed in', () => {
    const log = logOf([CLEANUP]);
    const reached: string[] = [];
    for (let i = 0; i < 7; i++) {
      repeat(log, 5, covered);
      repeat(log, 1);
      reached.push(log.level());
    }
    expect(reached).toEqual(['watch', 'watch', 'watch', 'watch', 'paused', 'paused', 'killed']);
  });

  it('of a resource covers the actions on that resource only', () => {
    const log = logOf([{ ...CLEANUP, match: { 'resource.id': 'scratch' } }]);
    repeat(log, 30, { resource: { id: 'scratch' } });
    expect(log.level()).toBe('watch');
    const outputs = repeat(log, 5, { resource: { id: 'ledger' } });
    expect(commandsOf(outputs)).toEqual(['pause s-1']);
    const [command] = outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
    expect(command).toMatchObject({ score: 5, measures: { n: 5 } });
    expect(command!.reason).toBe('5 deletions (without what exceptions cover)');
    expect(new Set(command!.evidence.map(({ resource }) => resource))).toEqual(new Set(['ledger']));
  });

  it('lets a session that does both reach no more than watch by their sum, and says so', () => {
    const log = logOf([CLEANUP]);
    repeat(log, 3, covered);
    const outputs = repeat(log, 2);
    expect(log.level()).toBe('watch');
    expect(liftedIn(outputs)).toMatchObject([{ level: { to: 'paused' }, exceptions: ['cleanup'] }]);
  });

  it('with atMost: pause leaves the pause', () => {
    const log = logOf([{ ...CLEANUP, atMost: 'pause' }]);
    const outputs = repeat(log, 20, covered);
    expect(log.level()).toBe('paused');
    expect(liftedIn(outputs).map(({ level }) => level?.to)).toEqual(['killed']);
  });

  it('with bounds of its own raises them: beyond, the rule does what it does', () => {
    const { atMost: _, ...rest } = CLEANUP;
    const log = logOf([{ ...rest, when: { pause: 'n > 20', kill: 'n > 30' } }]);
    const levels = Array.from({ length: 31 }, (_, i) => {
      const outputs = log.act(i * SECOND, covered);
      return [log.level(), outputs];
    });
    expect([2, 19, 20, 29, 30].map((i) => levels[i]![0])).toEqual(['watch', 'watch', 'paused', 'paused', 'killed']);
    const [command] = (levels[20]![1] as Output[]).flatMap((one) => (one.topic === 'commands' ? [one.command] : []));
    expect(command).toMatchObject({
      score: 21,
      threshold: 20,
      reason: '21 deletions (more than the exception cleanup allows)',
    });
  });

  it('whose bound has no value, or is lower than that of the rule, changes nothing', () => {
    const { atMost: _, ...rest } = CLEANUP;
    const levelsUnder = (when: object) => {
      const log = logOf([{ ...rest, when }], { measure: { n: 'count', paid: 'sum(amount)' } });
      return Array.from({ length: 7 }, (_, i) => {
        log.act(i * SECOND, covered);
        return log.level();
      });
    };
    const plain = levelsUnder({ pause: 'n > 4', kill: 'n > 6' });
    expect(levelsUnder({ pause: 'n > 0', kill: 'n > 0' })).toEqual(plain);
    expect(levelsUnder({ pause: 'n / paid > 20' })).toEqual(plain);
    expect(plain.at(-1)).toBe('killed');
  });

  it('of several that cover an action the most generous counts', () => {
    const log = logOf([{ ...CLEANUP, name: 'some', atMost: 'pause' }, CLEANUP]);
    repeat(log, 20, covered);
    expect(log.level()).toBe('watch');
  });

  it('of a shadow rule holds for what that rule would have done', () => {
    const outputs = repeat(logOf([CLEANUP], { mode: 'shadow' }), 9, covered);
    expect(findingsOf(outputs)).toEqual(['shadow_hit', 'bound_lifted', 'bound_lifted']);
  });

  it('keeps watch as long as a condition holds, also one that it lifts', () => {
    const log = logOf([CLEANUP], { within: 'session' });
    repeat(log, 9, covered);
    for (const at of [9, 18, 27]) log.act(at * MINUTE, { action: 'read' });
    expect(log.level()).toBe('watch');
  });
});

describe('the last day of an exception', () => {
  const endsMs = 15 * 60 * MINUTE; // the log begins at 09:00 UTC

  it('is that of the log: from the next one on it lifts nothing that is done then', () => {
    const log = logOf([CLEANUP], { within: '3d' });
    repeat(log, 20, covered, endsMs - MINUTE);
    expect(log.level()).toBe('watch');
    const outputs = repeat(log, 5, covered, endsMs);
    expect(log.level()).toBe('paused');
    expect(commandsOf(outputs)).toEqual(['pause s-1']);
  });

  it('is told by the append time, not by what the event says', () => {
    const log = logOf([CLEANUP], { within: '3d' });
    for (let i = 0; i < 5; i++) log.act(endsMs - MINUTE, covered, endsMs + i * SECOND);
    expect(log.level()).toBe('paused');
  });
});

describe('another policy', () => {
  const under = (log: Log, exceptions: object[] | undefined, hash: string, more: object = {}) =>
    log.partition.judgeUnder(planOf([{ ...DELETES, ...(exceptions ? { exceptions } : {}), ...more }], {}, hash));

  it('with a first exception lifts nothing of what was done before', () => {
    const log = new Log(planOf([DELETES]));
    repeat(log, 3, covered);
    under(log, [CLEANUP], B);
    repeat(log, 20, covered);
    expect(log.level()).toBe('watch');
    const outputs = repeat(log, 2);
    expect(commandsOf(outputs)).toEqual(['pause s-1']);
    expect(outputs).toContainEqual(expect.objectContaining({ topic: 'commands' }));
  });

  it('that edits or adds exceptions keeps what was covered', () => {
    const log = logOf([CLEANUP]);
    repeat(log, 20, covered);
    under(
      log,
      [
        { ...CLEANUP, expires: '2026-03-01' },
        { ...CLEANUP, name: 'other', match: { tenant: 'x' } },
      ],
      B,
    );
    repeat(log, 4);
    expect(log.level()).toBe('watch');
    repeat(log, 1);
    expect(log.level()).toBe('paused');
  });

  it('without the exceptions takes back what they lifted', () => {
    const log = logOf([CLEANUP]);
    repeat(log, 20, covered);
    under(log, undefined, B);
    repeat(log, 1, covered);
    expect(log.level()).toBe('killed');
  });

  it('with another measure in the rule counts it apart from where the whole stands', () => {
    const wide = { id: 'other', match: { action: 'delete' }, measure: { t: 'attempts' }, when: { watch: 't > 99' } };
    const plan = (rules: object[], hash: string) => planOf(rules as Record<string, unknown>[], {}, hash);
    const log = new Log(plan([{ ...DELETES, exceptions: [CLEANUP] }, wide], B));
    repeat(log, 4);
    const more = { measure: { n: 'count', t: 'attempts' }, when: { pause: 't > 4' } };
    log.partition.judgeUnder(plan([{ ...DELETES, ...more, exceptions: [CLEANUP] }, wide], C));
    repeat(log, 1);
    expect(log.level()).toBe('paused');
  });
});

it('the state of a session with exceptions comes back byte for byte, and goes on alike', () => {
  const one = logOf([CLEANUP]);
  repeat(one, 3, covered);
  repeat(one, 4);
  const bytes = encodeSession(one.partition.sessions.get('s-1')!);
  expect(encodeSession(decodeSession('s-1', bytes))).toEqual(bytes);
  const other = logOf([CLEANUP]);
  other.offset = one.offset;
  other.partition.adopt(decodeSession('s-1', bytes));
  const at = 10 * SECOND;
  // The trail of the other partition begins here.
  const said = (outputs: Output[]) => outputs.filter(({ topic }) => topic !== 'audit');
  expect(said(other.act(at, { id: 'next' }))).toEqual(said(one.act(at, { id: 'next' })));
  expect(other.level()).toBe('paused');
});

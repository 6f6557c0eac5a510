import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { Finding } from '../../../src/domain/finding.ts';
import type { Output } from '../../../src/domain/output.ts';
import { MarkMemory, marksOf } from '../../../src/engine/evidence/marks.ts';
import { ByteReader, ByteWriter } from '../../../src/engine/session/bytes.ts';
import { decodeSession, encodeSession } from '../../../src/engine/session/codec.ts';
import { commandsOf, findingsOf, Log } from '../harness.ts';
import { baselineOf, checkedOf, intentOf, planWith } from './lessons.ts';

const MINUTE = 60_000;
const DELETING = intentOf({});

/** One action in each two minutes: no bursts. */
function deletes(log: Log, times: number, event: Partial<ActionEvent> = {}): Output[] {
  return Array.from({ length: times }, () => log.act(log.offset * 2 * MINUTE, event)).flat();
}

function bytesOf(log: Log): string {
  return Buffer.from(encodeSession(log.partition.find('s-1')!)).toString('base64');
}

function levelChanges(outputs: Output[]): Finding[] {
  return outputs.flatMap((one) =>
    one.topic === 'findings' && one.finding.code === 'level_changed' ? [one.finding] : [],
  );
}

describe('marks', () => {
  const event = (fields: Partial<ActionEvent>): ActionEvent => ({
    id: 'e',
    time: '2026-01-05T09:00:00Z',
    session: 's',
    agent: { id: 'a' },
    tool: 't',
    action: 'delete',
    ...fields,
  });
  const marks = (fields: Record<string, unknown>, events: Partial<ActionEvent>[], known: string[] = []) => {
    const intents = [checkedOf(intentOf({ match: { action: ['delete', 'pay'] }, ...fields }))];
    const memory = new MarkMemory();
    const isKnown = (_: number, value: string) => known.includes(value);
    return events.map((one) => marksOf(intents, () => memory, event(one), isKnown)[0]?.mark ?? 0);
  };
  const on = (id: string): Partial<ActionEvent> => ({ resource: { type: 'mail', id } });

  it('count: every action that matches', () => {
    expect(marks({}, [{}, { action: 'read' }, {}])).toEqual([1, 0, 1]);
  });

  it('distinct: a value once in a session, spelling apart', () => {
    expect(marks({ mark: 'distinct(target)' }, [on('A'), on('b'), on(' a '), on('B')])).toEqual([1, 1, 0, 0]);
  });

  it('distinct: one mark for a bulk call, however many values are new', () => {
    expect(marks({ mark: 'distinct(target)' }, [{ targets: ['a', 'b', 'c'] }, { targets: ['c'] }])).toEqual([1, 0]);
  });

  it('novel: a value that the cohort does not know, once', () => {
    expect(marks({ mark: 'novel(target)' }, [on('known'), on('new'), on('new')], ['known'])).toEqual([0, 1, 0]);
  });

  it('amount: a share of the cap, never more than one mark, nothing below zero', () => {
    const amounts = [5, 10, 1e9, 0, -4, Number.NaN].map((amount) => ({ action: 'pay' as const, amount }));
    expect(marks({ mark: 'amount(amount)', cap: 10 }, amounts)).toEqual([0.5, 1, 1, 0, 0, 0]);
  });

  it('after: only once another action was there, and no action stages itself', () => {
    expect(marks({ after: { action: 'pay' } }, [{}, { action: 'pay' }, {}, {}])).toEqual([0, 0, 1, 1]);
    expect(marks({ after: { action: 'delete' } }, [{}, {}, {}])).toEqual([0, 1, 1]);
  });

  describe('afterNovel', () => {
    const TARGETS = { after: { action: ['delete', 'pay'] }, afterNovel: 'target', afterFirst: true };
    const by = (tool: string, ...targets: string[]): Partial<ActionEvent> => ({ tool, targets });

    it('elsewhere: another tool, or a familiar target, once the first was on a stranger', () => {
      const mark = { ...TARGETS, mark: 'elsewhere(target)' };
      const stranger = by('pay', 'stranger');
      expect(marks(mark, [stranger, by('mail', 'other'), by('pay', 'known'), by('pay', 'other')], ['known'])).toEqual([
        0, 1, 1, 0,
      ]);
      expect(marks(mark, [stranger, stranger, by('pay')])).toEqual([0, 0, 1]);
    });

    it('afterFirst: a first action on a familiar target closes the door for the whole session', () => {
      const mark = { ...TARGETS, mark: 'elsewhere(target)' };
      const events = [by('pay', 'known'), by('pay', 'stranger'), by('mail', 'known')];
      expect(marks(mark, events, ['known'])).toEqual([0, 0, 0]);
      expect(marks({ ...mark, afterFirst: false }, events, ['known'])).toEqual([0, 0, 1]);
    });

    it('again: what was new in an action before, each time', () => {
      const mark = { ...TARGETS, afterFirst: false, mark: 'again(target)' };
      const events = [by('t', 'known'), by('t', 'a', 'b'), by('t', 'known'), by('t', 'B'), by('t', 'b'), by('t', 'c')];
      expect(marks(mark, events, ['known'])).toEqual([0, 0, 0, 1, 1, 0]);
    });

    it('again: beyond 64 strangers every target counts as one of them: the bound errs to more', () => {
      const mark = { ...TARGETS, afterFirst: false, mark: 'again(target)' };
      const many = Array.from({ length: 64 }, (_, i) => by('t', `s-${i}`));
      expect(marks(mark, [...many.slice(1), by('t', 'known')], ['known']).at(-1)).toBe(0);
      expect(marks(mark, [...many, by('t', 'known')], ['known']).at(-1)).toBe(1);
    });

    it('what came before survives the bytes of a session', () => {
      const memory = new MarkMemory();
      const { after } = checkedOf(intentOf({ ...TARGETS, mark: 'again(target)' }));
      memory.stage(after!, event(by('pay', 'stranger')), () => false, 0);
      const to = new ByteWriter(64);
      memory.write(to);
      const again = MarkMemory.read(new ByteReader(to.finish(), 0));
      expect(again).toEqual(memory);
      expect([again.staged, again.isStranger('stranger'), again.isStranger('known')]).toEqual([true, true, false]);
      expect([again.isSameTool(event(by('pay'))), again.isSameTool(event(by('mail')))]).toEqual([true, false]);
    });
  });

  it('weight: a factor by the text of a field', () => {
    const weight = { by: 'resource.sensitivity', values: { low: 0.3 }, other: 0.8 };
    const low = { resource: { type: 'mail', sensitivity: 'low' as const } };
    expect(marks({ weight }, [low, {}])).toEqual([0.3, 0.8]);
  });

  it('beyond the values that a session can tell apart, each counts as new: the bound errs to more', () => {
    const many = [...Array.from({ length: 65 }, (_, i) => on(`m-${i}`)), on('m-64'), on('m-0')];
    expect(marks({ mark: 'distinct(target)' }, many).slice(64)).toEqual([1, 1, 0]);
  });
});

describe('the evidence of a session', () => {
  it('raises it through all levels, each at an exact action, with its grounds', () => {
    const log = new Log(planWith([DELETING]));
    const outputs = deletes(log, 40);
    expect(commandsOf(outputs)).toEqual(['pause s-1', 'kill s-1']);
    const changes = levelChanges(outputs);
    expect(changes.map(({ level }) => level?.to)).toEqual(['watch', 'paused', 'killed']);
    for (const change of changes) expect(Finding.parse(change)).toEqual(change);
    const [, pause] = changes;
    expect(pause).toMatchObject({
      rule: 'deleting',
      severity: 'high',
      threshold: 4,
      baseline: { alpha: 0.01, n: 999 },
    });
    expect(pause!.score).toBeGreaterThan(4);
    expect(pause!.reason).toContain('at most 1 % of benign sessions get this far, conformal, n = 999');
    expect(pause!.evidence!.length).toBeGreaterThan(3);
  });

  it('says nothing of work at the rate of its cohort', () => {
    const log = new Log(planWith([DELETING]));
    const outputs = Array.from({ length: 200 }, (_, i) =>
      log.act(i * 2 * MINUTE, { action: i % 10 === 9 ? 'delete' : 'read' }),
    ).flat();
    expect(levelChanges(outputs)).toEqual([]);
  });

  it('shows the stranger that the marks came after, which adds nothing', () => {
    const errand = intentOf({
      match: { action: ['delete', 'pay'] },
      after: { action: 'pay' },
      afterNovel: 'target',
      afterFirst: true,
      mark: 'elsewhere(target)',
    });
    const log = new Log(planWith([errand]));
    log.act(0, { action: 'pay', tool: 'transfer', targets: ['stranger'] });
    const changes = levelChanges(deletes(log, 12));
    const { evidence } = changes[0]!;
    expect(evidence![0]).toMatchObject({ tool: 'transfer', contribution: 0 });
    expect(evidence!.length).toBeGreaterThan(1);
  });

  it('the contributions of its steps add up to what it says', () => {
    const log = new Log(planWith([DELETING]));
    deletes(log, 4);
    const session = log.partition.sessions.get('s-1')!;
    const { id } = checkedOf(DELETING);
    const sum = session.groups.get(id)!.steps.reduce((all, { weight }) => all + weight, 0);
    expect(sum).toBeCloseTo(session.intents!.evidence.feature(id).streams[0]!, 9);
  });

  it('an intent without a baseline, or that was changed since, marks nothing', () => {
    const changed = intentOf({ match: { action: ['delete', 'send'] } });
    for (const plan of [planWith([DELETING], null), planWith([changed], baselineOf([DELETING]))]) {
      const log = new Log(plan);
      expect(deletes(log, 40)).toEqual([]);
    }
  });

  it('a rule that asks for the same speaks for it: the simpler reason', () => {
    const rules = [{ match: { action: 'delete' }, within: 'session', when: { kill: 'n >= 1' } }];
    const log = new Log(planWith([DELETING], baselineOf([DELETING]), rules));
    const [first] = levelChanges(deletes(log, 1));
    expect(first).toMatchObject({ rule: 'test-rule', level: { to: 'killed' } });
  });

  it('in the shadow it says once for each rise what it would have done', () => {
    const shadow = intentOf({ mode: 'shadow' });
    const outputs = deletes(new Log(planWith([shadow])), 40);
    expect(findingsOf(outputs)).toEqual(['shadow_hit', 'shadow_hit', 'shadow_hit']);
    expect(commandsOf(outputs)).toEqual([]);
  });

  it('discovered it says nothing', () => {
    expect(deletes(new Log(planWith([intentOf({ mode: 'discover' })])), 40)).toEqual([]);
  });
});

describe('evidence may pause and not kill', () => {
  const capped = (changes: object, event: (i: number) => Partial<ActionEvent> = () => ({})) => {
    const log = new Log(planWith([DELETING], baselineOf([DELETING], changes)));
    const outputs = Array.from({ length: 40 }, (_, i) => log.act(i * 2 * MINUTE, event(i))).flat();
    return { commands: commandsOf(outputs), reason: levelChanges(outputs).at(-1)?.reason };
  };
  const thresholds = (grade: 'extrapolated' | 'insufficient', c?: number) => ({
    ...baselineOf([]).thresholds,
    pause: { alpha: 0.01, r: 1, n: 999, grade: 'conformal' as const },
    kill: { alpha: 0.001, r: 0, n: 40, grade, ...(c === undefined ? {} : { c }) },
  });

  it('while too few sessions certify its threshold, and says how many there are', () => {
    const { commands, reason } = capped({ thresholds: thresholds('extrapolated', 6) });
    expect(commands).toEqual(['pause s-1']);
    expect(reason).toContain('held at pause: the threshold of kill is extrapolated: 40 benign sessions are too few');
  });

  it('unless the operator says that it may', () => {
    const changes = { thresholds: thresholds('extrapolated', 6), onUncertified: 'kill' };
    expect(capped(changes).commands).toEqual(['kill s-1']);
  });

  it('and not even that where nothing can be said', () => {
    expect(capped({ thresholds: thresholds('insufficient') }).commands).toEqual([]);
  });

  it('where more principals act than one piece of work has', () => {
    const { commands, reason } = capped({}, (i) => ({ principal: { id: `p-${Math.min(i, 9)}` } }));
    expect(commands).toEqual(['pause s-1']);
    expect(reason).not.toContain('held at pause');
  });
});

describe('the state of the evidence', () => {
  it('comes back from its bytes at any action, and leads to the same outputs', () => {
    const intents = [DELETING, intentOf({ id: 'novel', mark: 'novel(target)', after: { action: 'read' } })];
    const event = fc.record({
      action: fc.constantFrom<ActionEvent['action']>('delete', 'read'),
      resource: fc.record({ type: fc.constant('mail'), id: fc.constantFrom('a', 'b', 'c') }),
      gapMs: fc.integer({ min: 0, max: 40 * MINUTE }),
    });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 20, size: 'max' }),
        fc.infiniteStream(fc.boolean()),
        (events, stored) => {
          const [whole, split] = [new Log(planWith(intents)), new Log(planWith(intents))];
          let atMs = 0;
          for (const { gapMs, ...fields } of events) {
            atMs += gapMs;
            expect(JSON.stringify(split.act(atMs, fields))).toBe(JSON.stringify(whole.act(atMs, fields)));
            const session = split.partition.sessions.get('s-1')!;
            if (stored.next().value) split.partition.adopt(decodeSession('s-1', encodeSession(session)));
            expect(bytesOf(split)).toBe(bytesOf(whole));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begins anew with a new life of the session', () => {
    const log = new Log(planWith([DELETING]));
    deletes(log, 3);
    log.act(log.offset * 2 * MINUTE + 31 * MINUTE);
    expect(log.partition.sessions.get('s-1')!.intents!.evidence.events).toBe(1);
  });

  it('goes on under a policy in which the intent means the same, and ends where it does not', () => {
    const log = new Log(planWith([DELETING]));
    deletes(log, 3);
    const B = `sha256:${'b'.repeat(64)}`;
    log.partition.judgeUnder(planWith([intentOf({ title: 'Renamed' })], baselineOf([DELETING]), [], B));
    deletes(log, 1);
    const { id } = checkedOf(DELETING);
    expect(log.partition.sessions.get('s-1')!.intents!.evidence.feature(id).markedEvents).toBe(4);
    log.partition.judgeUnder(planWith([], null, [], `sha256:${'c'.repeat(64)}`));
    deletes(log, 1);
    expect(log.partition.sessions.get('s-1')!.intents).toBeUndefined();
  });

  it('belongs to the cohort that the first action named', () => {
    const quiet = { events: { mu: 0.001, phi: 1, a: 2 }, active: { mu: 0.3, phi: 1, a: 2 }, n: 100 };
    const baseline = baselineOf([DELETING]);
    baseline.intents['deleting']!.cohorts['agent.role=quiet'] = quiet;
    const log = new Log(planWith([DELETING], baseline));
    log.act(0, { action: 'read', agent: { id: 'a', role: 'quiet' } });
    deletes(log, 1, { agent: { id: 'a', role: 'loud' } });
    expect(log.partition.sessions.get('s-1')!.intents!.cohort).toBe('agent.role=quiet');
    expect(log.level()).not.toBe('clear');
  });
});

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runRuleTest, runTest } from '../../src/app/rule-tests.ts';
import { test as testVerb } from '../../src/cli/test.ts';
import { PolicySettings, Rule } from '../../src/domain/rule.ts';
import { type Expectation, RuleTest } from '../../src/domain/rule-test.ts';
import { eventsOf } from '../../src/formats/event-generator.ts';

const rule = Rule.parse({
  id: 'many-deletes',
  title: 'Many deletions',
  severity: 'high',
  mode: 'shadow',
  match: { action: 'delete' },
  within: '10m',
  measure: { deletes: 'count', pace: 'rate' },
  when: { watch: 'deletes > 2', pause: 'deletes > 4', kill: 'deletes > 6' },
  explain: '{deletes} deletions',
});
const settings = PolicySettings.parse({});

function run(repeat: number, expectation: Expectation, every = '1s') {
  const event = { action: 'delete', 'resource.id': 'm-{i}' };
  const test = RuleTest.parse({ name: 'a test', events: { repeat, every, event }, expect: [expectation] });
  return runRuleTest(rule, settings, test);
}

describe('expectations', () => {
  it.each<[Expectation]>([
    [{ at: 3, level: 'watch' }],
    [{ at: 5, level: 'paused', reason: '5 deletions' }],
    [{ at: 7, level: 'killed' }],
    [{ end: 'killed' }],
  ])('%j holds', (expectation) => expect(run(8, expectation).failures).toEqual([]));

  it.each<[number, Expectation, string]>([
    [8, { at: 2, level: 'watch' }, 'event 3 raises it to watch; after event 2 it is clear'],
    [8, { at: 4, level: 'watch' }, 'event 3 raises it to watch; after event 4 it is watch'],
    [8, { at: 5, level: 'watch' }, 'event 3 raises it to watch; after event 5 it is paused'],
    [2, { at: 2, level: 'killed' }, 'it never gets there; after event 2 it is clear'],
    [8, { at: 5, level: 'paused', reason: '6 deletions' }, 'the reason is "5 deletions"'],
    [8, { never: 'paused' }, 'event 5 raises the session to paused (many-deletes)'],
    [8, { never: 'watch' }, 'event 3 raises the session to watch (many-deletes)'],
    [8, { end: 'paused' }, 'killed'],
  ])('of %i events, %j does not', (repeat, expectation, found) =>
    expect(run(repeat, expectation).failures).toMatchObject([{ found }]),
  );

  it('a window forgets', () => expect(run(50, { never: 'watch' }, '6m').failures).toEqual([]));
});

describe('the timeline', () => {
  it('shows the measures after each event, the last ones of a killed session too', () => {
    const { timeline } = run(8, { end: 'killed' });
    expect(timeline.map(({ level }) => level).join(' ')).toBe('clear clear watch watch paused paused killed killed');
    expect(timeline[4]).toMatchObject({
      number: 5,
      sinceStartMs: 4000,
      readings: [{ measures: { deletes: 5, pace: 0.5 } }],
    });
    expect(timeline[6]!.readings[0]!.measures.deletes).toBe(7);
  });
});

describe('silence', () => {
  const unapproved = Rule.parse({
    ...rule,
    id: 'unapproved',
    match: { action: ['pay', 'auth'] },
    measure: {
      unapproved: { sequence: [{ match: { action: 'pay' } }, { missing: { action: 'auth' }, within: '5m' }] },
    },
    when: { pause: 'unapproved > 0' },
    explain: '{unapproved} payments without an approval',
  });
  const courseOf = (...events: unknown[]) => {
    return RuleTest.parse({ name: 'a test', events, expect: [{ end: 'clear' }] });
  };
  const failuresOf = (test: RuleTest, expectation: Expectation) => {
    return runRuleTest(unapproved, settings, { ...test, expect: [expectation] }).failures;
  };
  const paid = { event: { action: 'pay' } };

  it.each<[string, unknown[], Expectation]>([
    ['raises after the event before it', [paid, { after: '5m' }], { after: 1, level: 'paused', reason: '1 payments' }],
    ['counts to a time from the start', [paid, { at: '5m' }], { after: 1, level: 'paused', rule: 'unapproved' }],
    ['is too short', [paid, { after: '4m' }], { never: 'watch' }],
    ['is broken', [paid, { after: '4m', event: { action: 'auth' } }, { after: '9m' }], { never: 'watch' }],
    ['lies between two events', [paid, { after: '9m', event: { action: 'auth' } }], { after: 1, level: 'paused' }],
    ['ends the test', [paid, { after: '5m' }], { end: 'paused' }],
  ])('%s', (_, events, expectation) => expect(failuresOf(courseOf(...events), expectation)).toEqual([]));

  it.each<[unknown[], Expectation, string]>([
    [[paid], { after: 1, level: 'paused' }, 'it never gets there; after the silence after event 1 it is clear'],
    [
      [paid, { after: '5m' }],
      { never: 'watch' },
      'the silence after event 1 raises the session to paused (unapproved)',
    ],
    [
      [paid, { after: '9m', event: { action: 'auth' } }],
      { at: 2, level: 'paused' },
      'the silence after event 1 raises it to paused; after event 2 it is paused',
    ],
  ])('of %j, %j does not hold', (events, expectation, found) =>
    expect(failuresOf(courseOf(...events), expectation)).toMatchObject([{ found }]),
  );

  it('is a row of the timeline, with what the rule measures there', () => {
    const { timeline } = runRuleTest(unapproved, settings, courseOf(paid, { after: '9m' }));
    expect(timeline).toMatchObject([
      { number: 1, tool: expect.any(String), level: 'clear' },
      {
        number: 1,
        sinceStartMs: 300_000,
        tool: undefined,
        level: 'paused',
        readings: [{ measures: { unapproved: 1 } }],
      },
    ]);
  });

  it.each([
    [[{ after: '5m' }], 'the test has no event; at least 1 is needed'],
    [[paid, { at: '5m', after: '5m' }], 'exactly one of: at, after'],
  ])('%j is refused', (events, message) => {
    const said = () => {
      const { problems } = eventsOf(courseOf(...events));
      if (problems.length > 0) throw new Error(problems[0]!.message);
    };
    expect(said).toThrow(message);
  });
});

describe('several rules', () => {
  const payments = { id: 'many-payments', match: { action: 'pay' }, when: { pause: 'deletes > 1' } };
  const deletes = Rule.parse({ ...rule, mode: 'enforce' });
  const test = RuleTest.parse({
    name: 'a test',
    events: [
      { repeat: 3, event: { action: 'delete' } },
      { repeat: 2, event: { action: 'pay' } },
    ],
    expect: [{ end: 'clear' }],
  });
  const failuresOf = (mode: 'enforce' | 'shadow', expectation: Expectation) => {
    const rules = [deletes, Rule.parse({ ...rule, ...payments, mode })];
    return runTest({ format: 1, settings, rules }, eventsOf(test), [expectation]).failures;
  };

  it('an expectation names the rule that raises the session', () => {
    expect(failuresOf('enforce', { at: 3, level: 'watch', rule: 'many-deletes' })).toEqual([]);
    expect(failuresOf('enforce', { at: 5, level: 'paused', rule: 'many-payments' })).toEqual([]);
    expect(failuresOf('enforce', { at: 5, level: 'paused', rule: 'many-deletes' })).toMatchObject([
      { found: expect.stringMatching(/^the rule is many-payments: /) },
    ]);
  });

  it('a shadow rule raises nothing when all judge together', () =>
    expect(failuresOf('shadow', { never: 'paused' })).toEqual([]));
});

describe('firebreak test', () => {
  it('tells a failure with the numbers around it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rules-'));
    await writeFile(join(folder, 'many-deletes.yaml'), JSON.stringify({ ...rule, tests: [] }));
    await writeFile(
      join(folder, 'many-deletes.test.yaml'),
      'rule: many-deletes\ntests:\n  - name: four are too many\n    events: { repeat: 6, every: 30s, event: { action: delete } }\n    expect: [{ at: 4, level: paused }]\n',
    );
    const { text, ok } = await testVerb([folder]);
    expect(ok).toBe(false);
    expect(
      text.replaceAll(folder, 'rules'),
    ).toBe(`FAIL  many-deletes: four are too many (rules/many-deletes.test.yaml:3:5)
      expected: event 4 raises the session to paused
      found:    event 5 raises it to paused; after event 4 it is watch
      watch when deletes > 2
      pause when deletes > 4
      kill  when deletes > 6
      event  after  tool    level   deletes  pace  watch at  pause at  kill at
      1      0ms    delete  clear   1        0.1   2         4         6
      2      30s    delete  clear   2        0.2   2         4         6
      3      1m     delete  watch   3        0.3   2 holds   4         6
      4      90s    delete  watch   4        0.4   2 holds   4         6
      5      2m     delete  paused  5        0.5   2 holds   4 holds   6
      6      150s   delete  paused  6        0.6   2 holds   4 holds   6
1 of 1 test of 1 rule failed
`);
  });
});

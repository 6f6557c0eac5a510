import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rule } from '../../../src/domain/rule.ts';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { implies } from '../../../src/engine/expression/implication.ts';
import { neverHolds } from '../../../src/engine/expression/ranges.ts';
import { doubtsOf } from '../../../src/engine/plan/doubts.ts';
import { declareNames } from '../../../src/engine/plan/names.ts';

function doubts(when: object, match: object = {}): string[] {
  const measure = { deletes: 'count', targets: 'distinct(target)', kinds: 'distinct(action)' };
  const baselineDefaults = { 'deletes.p99': 6, 'targets.low': -1 };
  const rule = Rule.parse({
    id: 'a-rule',
    title: 'A rule',
    severity: 'low',
    within: '10m',
    match,
    measure,
    when,
    baselineDefaults,
  });
  return doubtsOf(rule).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('doubts', () => {
  it.each<[object, string[]]>([
    [{ watch: 'deletes > 5', pause: 'deletes > 10', kill: 'deletes > 20' }, []],
    [{ watch: 'deletes >= 5', pause: 'deletes > 5' }, []],
    [{ watch: 'deletes > 5', pause: 'targets > 3' }, []],
    [{ watch: 'deletes < 5', pause: 'deletes < 3' }, []],
    [{ watch: 'deletes > 5', pause: 'deletes > 3 and targets > 1' }, []],
    [{ pause: true }, []],
    [
      { watch: 'deletes > 5', pause: 'deletes > 5' },
      ['when.pause: pause needs no more than watch (deletes > 5), so that level would be skipped'],
    ],
    [
      { watch: 'deletes > 5', pause: 'deletes >= 5' },
      ['when.pause: pause needs no more than watch (deletes > 5), so that level would be skipped'],
    ],
    [
      { watch: 'deletes > 5', kill: 'deletes > 0.5' },
      ['when.kill: kill needs no more than watch (deletes > 5), so that level would be skipped'],
    ],
    [
      { watch: 'deletes > 30', pause: 'deletes > 20', kill: 'deletes > 10' },
      [
        'when.pause: pause needs no more than watch (deletes > 30), so that level would be skipped',
        'when.kill: kill needs no more than pause (deletes > 20), so that level would be skipped',
      ],
    ],
    [{ watch: 'deletes > 5', kill: '1 > 2' }, ['when.kill: kill never holds']],
    [{ watch: false, kill: 'not true' }, ['when: no condition ever holds: this rule can never fire']],
  ])('%j', (when, wanted) => expect(doubts(when)).toEqual(wanted));

  it.each<[wrong: boolean, watch: string, pause: string]>([
    [true, 'deletes > 4 * baseline.deletes.p99', 'deletes > 2 * baseline.deletes.p99'],
    [true, 'deletes > baseline.deletes.p99 * 4', 'deletes > baseline.deletes.p99'],
    [true, 'deletes > max(20, 3 * baseline.deletes.p99)', 'deletes > max(20, 1.5 * baseline.deletes.p99)'],
    [true, 'deletes > max(20, 3 * baseline.deletes.p99)', 'deletes > 10'],
    [true, '3 < deletes', 'deletes > 2'],
    [true, 'deletes > 10 and targets > 2', 'deletes > 5'],
    [true, 'deletes > 10 and targets > 2', 'targets > 2 and deletes >= 10'],
    [true, 'deletes > 10', 'deletes > 5 or targets > 3'],
    [true, 'deletes > 10 or deletes > 20', 'deletes > 5 or targets > 3'],
    [true, 'deletes / 2 > 10', 'deletes > 10'],
    [true, 'deletes >= 5', 'deletes > 4'],
    [true, 'deletes > 5', 'deletes >= 5'],
    [false, 'deletes > 2 * baseline.deletes.p99', 'deletes > 4 * baseline.deletes.p99'],
    [false, 'deletes > max(10, 1.5 * baseline.deletes.p99)', 'deletes > max(20, 3 * baseline.deletes.p99)'],
    [false, 'deletes > max(10, 3 * baseline.deletes.p99)', 'deletes > max(20, 1.5 * baseline.deletes.p99)'],
    [false, 'targets > 4 * baseline.targets.low', 'targets > 2 * baseline.targets.low'],
    [false, 'deletes > 10', 'deletes > 5 and targets > 3'],
    [false, 'deletes >= 5', 'deletes > 5'],
    [false, 'deletes > 5', 'targets > 1'],
  ])('upside down %j: %s, then %s', (wrong, watch, pause) => {
    const message = `when.pause: pause needs no more than watch (${watch}), so that level would be skipped`;
    expect(doubts({ watch, pause })).toEqual(wrong ? [message] : []);
  });

  it.each<[never: boolean, pause: string, match?: object]>([
    [true, 'deletes > 10 and deletes < 5'],
    [true, 'targets > 1 and (deletes > 10 and 5 > deletes)'],
    [true, 'deletes < 0'],
    [true, 'deletes + targets < 0 or session.level > 3'],
    [true, 'kinds > 12'],
    [true, 'kinds > 1', { action: 'delete' }],
    [true, 'kinds >= 3 and deletes > 5', [{ action: 'delete' }, { 'action|contains': 'secret' }]],
    [true, 'min(kinds, deletes) > 12'],
    [false, 'kinds > 1', { action: ['delete', 'send'] }],
    [false, 'kinds > 1', [{ action: 'delete' }, { 'action|contains': 'secret' }]],
    [false, 'deletes > 10 and targets < 5'],
    [false, 'deletes >= 5 and deletes <= 5'],
    [false, 'deletes - targets < 0'],
    [false, 'session.level >= 3'],
    [false, 'targets < baseline.targets.low'],
  ])('never holds %j: %s', (never, pause, match = {}) => {
    expect(doubts({ pause }, match)).toEqual(never ? ['when: no condition ever holds: this rule can never fire'] : []);
  });

  const exclude = (path: string, keys: string) => [
    `match.${path}: ${keys} exclude each other: this rule can never fire`,
  ];
  it.each<[object, string[]]>([
    [{ action: 'delete', 'action|neq': ['delete', 'update'] }, exclude('action|neq', 'action and action|neq')],
    [{ action: 'delete', 'action|contains': 'read' }, exclude('action|contains', 'action and action|contains')],
    [{ outcome: 'ok', 'outcome|re': '^den' }, exclude('outcome|re', 'outcome and outcome|re')],
    [{ 'action|startswith': 'x' }, ['match.action|startswith: no event has such a value: this rule can never fire']],
    [{ 'amount|gt': 10, 'amount|lte': 10 }, exclude('amount|lte', 'amount|gt and amount|lte')],
    [
      { 'attributes.n|gt': 10, 'attributes.n|lt': 5 },
      exclude('attributes.n|lt', 'attributes.n|gt and attributes.n|lt'),
    ],
    [{ 'affected|lt': 1 }, ['match.affected|lt: no event has such a value: this rule can never fire']],
    [{ amount: [1, 2], 'amount|gt': 5 }, exclude('amount|gt', 'amount and amount|gt')],
    [{ amount: null, 'amount|gt': 5 }, exclude('amount|gt', 'amount and amount|gt')],
    [{ tool: 'mail.send', 'tool|startswith': 'db.' }, exclude('tool|startswith', 'tool and tool|startswith')],
    [
      { 'purpose|exists': false, 'purpose|contains': 'x' },
      exclude('purpose|contains', 'purpose|exists and purpose|contains'),
    ],
    [
      [{ action: 'send' }, { 'rows|gt': 5, 'rows|lt': 5 }],
      ['match.1.rows|lt: rows|gt and rows|lt exclude each other: nothing ever passes this map'],
    ],
    [
      { 'tool|re': '[a-z]{1,200}x{1,400}' },
      [expect.stringMatching(/^match\.tool\|re: an expensive regular expression: \d+ instructions/)],
    ],
    [{ action: 'delete', 'action|neq': 'update' }, []],
    [{ action: 'delete', amount: 5 }, []],
    [{ 'amount|gte': 10, 'amount|lte': 10 }, []],
    [{ amount: [1, 7], 'amount|gt': 5 }, []],
    [{ amount: null, 'amount|neq': 5 }, []],
    [{ tool: 'Mail.send', 'tool|startswith': 'mail.' }, []],
    [{ tool: 'mail.send', 'tool|neq|cased': 'mail.send' }, []],
    [{ tool: 'mail.*', 'tool|contains': 'send' }, []],
    [{ target: 'a', 'target|neq|contains': 'b' }, []],
    [{ target: ['a'], 'target|contains': 'b' }, []],
    [{ 'attributes.n': 5, 'attributes.n|contains': '.0' }, []],
    [{ 'tool|re': '^(mail|smtp)\\.send(_bulk)?$' }, []],
  ])('match %j', (match, wanted) => expect(doubts({ pause: 'deletes > 5' }, match)).toEqual(wanted));
});

describe('the proofs', () => {
  const names = declareNames(['a', 'b'], {});
  const number = fc.oneof(
    fc.constantFrom('a', 'b', '1', '2', '5'),
    fc
      .tuple(
        fc.constantFrom('2 * a', 'a / 2', 'b * 3', 'a + b', 'a - b', 'max(a, 3)', 'min(b, 2, a)', 'max(2, min(a, b))'),
      )
      .map(([x]) => x),
  );
  const comparison = fc.tuple(number, fc.constantFrom('>', '>=', '<', '<='), number).map((parts) => parts.join(' '));
  const condition = fc.oneof(
    comparison,
    fc.tuple(comparison, fc.constantFrom('and', 'or'), comparison).map(([x, how, y]) => `(${x}) ${how} (${y})`),
  );
  const values = fc.tuple(fc.nat(7), fc.nat(7));
  const ranges = new Map([
    [0, { lo: 0, hi: Infinity }],
    [1, { lo: 0, hi: Infinity }],
  ]);

  function compiled(source: string) {
    const found = compileExpression(source, names);
    if (!found.ok || found.term.type !== 'boolean') throw new Error(source);
    return { term: found.term, evaluate: found.evaluate };
  }

  it('are never contradicted by values', () => {
    let proven = 0;
    fc.assert(
      fc.property(
        condition,
        condition,
        fc.array(values, { minLength: 20, maxLength: 20 }),
        (first, second, samples) => {
          const [p, q] = [compiled(first), compiled(second)];
          const implied = implies(p.term, q.term, ranges);
          const never = neverHolds(p.term, ranges);
          if (implied || never) proven++;
          for (const sample of samples) {
            const holds = p.evaluate(sample);
            if (never) expect(holds).toBe(false);
            if (implied && holds) expect(q.evaluate(sample)).toBe(true);
          }
        },
      ),
      { numRuns: 5000 },
    );
    expect(proven).toBeGreaterThan(200);
  });
});

import { describe, expect, it } from 'vitest';
import { Rule } from '../../../src/domain/rule.ts';
import { doubtsOf } from '../../../src/engine/plan/doubts.ts';

function doubts(when: object): string[] {
  const measure = { deletes: 'count', targets: 'distinct(target)' };
  const rule = Rule.parse({ id: 'a-rule', title: 'A rule', severity: 'low', within: '10m', measure, when });
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
});

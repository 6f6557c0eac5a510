import { describe, expect, it } from 'vitest';
import { policyChanges } from '../../src/app/policy-changes.ts';
import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { ruleOf } from '../engine/harness.ts';

const RULE = { id: 'deletes', match: { action: 'delete' }, when: { pause: 'n > 20' } };
const cleanup = { name: 'cleanup', match: { purpose: 'x' }, atMost: 'watch', reason: 'known', owner: 'mail' };
const EXCEPTION = { ...cleanup, expires: '2027-01-31' };

function body(rules: object[], settings: Partial<PolicySettings> = {}): PolicyBody {
  const parsed = rules.map((rule) => ruleOf(rule as Record<string, unknown>));
  return { format: 1, settings: PolicySettings.parse(settings), rules: parsed };
}

function changes(before: object[], after: object[]): string[] {
  return policyChanges(body(before), body(after)).lines;
}

describe('what activating a policy changes', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, []],
    ['a threshold', { when: { pause: 'n > 30' } }, ['~ rule deletes: when changed; its counts go on']],
    [
      'severity and mode',
      { severity: 'low', mode: 'shadow' },
      ['~ rule deletes: mode, severity changed; its counts go on'],
    ],
    [
      'the match',
      { match: { action: ['delete', 'update'] } },
      ['~ rule deletes: match changed; its counts start empty'],
    ],
    ['the window', { within: '1h' }, ['~ rule deletes: within changed; its counts start empty']],
    [
      'a measure more',
      { measure: { n: 'count', targets: 'distinct(target)' } },
      ['~ rule deletes: measure changed; n goes on, targets starts empty'],
    ],
    [
      'the name of a measure, which is no part of what it counts',
      { measure: { deletes: 'count' }, when: { pause: 'deletes > 20' } },
      ['~ rule deletes: measure, when changed; its counts go on'],
    ],
    ['an exception', { exceptions: [EXCEPTION] }, ['+ exception cleanup of deletes, until 2027-01-31, owner mail']],
  ])('%s', (_, edit, lines) => expect(changes([RULE], [{ ...RULE, ...edit }])).toEqual(lines));

  it('rules that come and go, and what a new one finds counted already', () => {
    const other = { ...RULE, id: 'other', match: { action: 'pay' } };
    expect(changes([RULE], [other])).toEqual(['+ rule other: starts empty', '- rule deletes: judges no longer']);
    const twin = { ...RULE, id: 'twin', when: { watch: 'n > 1' } };
    expect(changes([RULE], [RULE, twin])).toEqual(['+ rule twin: goes on from what other rules have counted']);
    const more = { ...twin, measure: { n: 'count', t: 'attempts' } };
    expect(changes([RULE], [RULE, more])).toEqual(['+ rule twin: n is counted already, t starts empty']);
  });

  it('exceptions, each once however many rules it is in', () => {
    const [one, two] = [RULE, { ...RULE, id: 'two' }];
    const withIt = (exception: object) => [one, two].map((rule) => ({ ...rule, exceptions: [exception] }));
    const renewed = { ...EXCEPTION, expires: '2027-06-30' };
    expect(changes(withIt(EXCEPTION), withIt(renewed))).toEqual([
      '~ exception cleanup of deletes, two, until 2027-06-30, owner mail',
    ]);
    expect(changes(withIt(EXCEPTION), [one, two])).toEqual([
      '- exception cleanup of deletes, two: what it lifted counts again',
    ]);
  });

  it('settings, and how many rules stay as they are', () => {
    const { lines, unchanged } = policyChanges(body([RULE]), body([RULE], { idleEndMs: 3_600_000 }));
    expect([lines, unchanged]).toEqual([['~ idleEnd: 30m → 1h'], 1]);
    const intents = policyChanges(body([RULE]), { ...body([RULE]), intents: [] });
    expect(intents.lines).toEqual(['~ intents changed']);
  });
});

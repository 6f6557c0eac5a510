import { describe, expect, it } from 'vitest';
import { Lessons } from '../../../src/app/learn/lessons.ts';
import { RuleNumbers } from '../../../src/app/learn/rule-numbers.ts';
import { SPLIT, subject } from '../../../src/app/learn/subject.ts';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { formatInstant } from '../../../src/domain/instant.ts';
import { type PolicyBody, PolicySettings } from '../../../src/domain/rule.ts';
import { numbersMeaning } from '../../../src/engine/plan/learned.ts';
import { ruleOf } from '../../engine/harness.ts';

const START_MS = Date.UTC(2026, 0, 5);
const RULE = {
  match: { action: 'delete' },
  within: '10m',
  measure: { deletes: 'count', targets: 'distinct(target)' },
  when: { kill: 'deletes > 2 * baseline.deletes.p90', watch: 'targets > baseline.targets.p50' },
  baselineDefaults: { 'deletes.p90': 4, 'targets.p50': 4, 'deletes.usual': 4 },
};

function bodyOf(...rules: Record<string, unknown>[]): PolicyBody {
  return { format: 1, settings: PolicySettings.parse({}), rules: rules.map(ruleOf) };
}

/** Session n deletes 2 n objects, half of them once more, in two parts an hour apart in time but in one life. */
function lessonsOf(body: PolicyBody, count: number, roleOf: (n: number) => string) {
  const numbers = new RuleNumbers(body);
  const lives = { idleEndMs: 24 * 3_600_000, maxLifetimeMs: 24 * 3_600_000 };
  const lessons = new Lessons(
    subject([], numbers, { cohortBy: [['agent.role']], split: SPLIT }),
    lives,
    (session) => session,
  );
  for (let n = 0; n < count; n++) {
    const act = (i: number, atMs: number, action: ActionEvent['action'], id: string) =>
      lessons.add(
        {
          id: `e-${n}-${i}`,
          time: formatInstant(START_MS + atMs),
          session: `s-${n}`,
          agent: { id: 'a', role: roleOf(n) },
          tool: 't',
          action,
          resource: { type: 'mail', id },
        },
        START_MS + atMs,
      );
    for (let i = 0; i < n; i++) act(i, i * 1000, 'delete', `m-${i}`);
    act(98, 1_800_000, 'read', 'm-1');
    for (let i = 0; i < n; i++) act(100 + i, 3_600_000 + i * 1000, 'delete', `m-${i % 2}`);
  }
  return { numbers, lessons: lessons.all, measured: lessons.all.map((lesson) => numbers.measure(lesson)) };
}

describe('the numbers of rules', () => {
  it('are quantiles of the largest value in a session, by the windows of the rule', () => {
    const { numbers, measured } = lessonsOf(bodyOf(RULE), 100, () => 'mail');
    expect(numbers.learn(measured)).toEqual({
      'test-rule': {
        meaning: numbersMeaning(ruleOf(RULE)),
        cohorts: {
          '': { 'deletes.p90': 90, 'targets.p50': 50 },
          'agent.role=mail': { 'deletes.p90': 90, 'targets.p50': 50 },
        },
      },
    });
  });

  it('are those of each cohort with enough sessions, the others belong to all', () => {
    const { numbers, measured } = lessonsOf(bodyOf(RULE), 100, (n) => (n < 60 ? 'quiet' : n < 90 ? 'busy' : 'few'));
    const { cohorts } = numbers.learn(measured)!['test-rule']!;
    expect(Object.keys(cohorts).sort()).toEqual(['', 'agent.role=busy', 'agent.role=quiet']);
    expect(cohorts['agent.role=quiet']!['deletes.p90']).toBe(54);
    expect(cohorts['agent.role=busy']!['deletes.p90']).toBe(87);
  });

  it('look only at actions that such a rule measures', () => {
    const numbers = new RuleNumbers(bodyOf(RULE, { id: 'other', match: { action: 'read' }, when: { watch: 'n > 1' } }));
    const event = { id: 'e', time: '2026-01-05T00:00:00Z', session: 's', agent: { id: 'a' }, tool: 't' };
    expect(numbers.looksAt({ ...event, action: 'delete' })).toBe(true);
    expect(numbers.looksAt({ ...event, action: 'read' })).toBe(false);
  });

  it('of a share need all actions', () => {
    const share = {
      match: { action: 'delete' },
      measure: { n: 'share' },
      when: { watch: 'n > baseline.n.p99' },
      baselineDefaults: { 'n.p99': 1 },
    };
    const { numbers, lessons, measured } = lessonsOf(bodyOf(share), 40, () => 'mail');
    expect(lessons[3]!.actions.size).toBe(7);
    expect(numbers.learn(measured)!['test-rule']!.cohorts['']!['n.p99']).toBe(1);
  });

  it('are none where no rule asks for any', () => {
    const { numbers, lessons, measured } = lessonsOf(bodyOf({ when: { watch: 'n > 1' } }), 40, () => 'mail');
    expect(numbers.learn(measured)).toBeUndefined();
    expect(lessons[3]!.actions.size).toBe(0);
  });
});

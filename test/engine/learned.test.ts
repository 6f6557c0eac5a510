import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../src/domain/baseline.ts';
import { numbersMeaning, quantilesOf } from '../../src/engine/plan/learned.ts';
import { baselineOf, planWith } from './evidence/lessons.ts';
import { Log, ruleOf } from './harness.ts';

const RULE = {
  match: { action: 'delete' },
  measure: { deletes: 'count' },
  when: { pause: 'deletes > 2 * baseline.deletes.p99' },
  baselineDefaults: { 'deletes.p99': 5 },
};

function logWith(cohorts: Record<string, Record<string, number>>, meaning = numbersMeaning(ruleOf(RULE))): Log {
  const rules: Baseline['rules'] = { 'test-rule': { meaning, cohorts } };
  return new Log(planWith([], baselineOf([], { rules }), [RULE]));
}

/** The deletion that pauses, and what the command says of the numbers. */
function pausedAt(log: Log, role?: string) {
  for (let i = 1; i <= 30; i++) {
    const agent = { id: 'a', ...(role === undefined ? {} : { role }) };
    const [paused] = log.act(i * 1000, { agent }).filter((one) => one.topic === 'commands');
    if (paused?.topic === 'commands') return [i, paused.command.baseline, paused.command.cohort];
  }
  return undefined;
}

const LEARNED = { '': { 'deletes.p99': 3 }, 'agent.role=mail': { 'deletes.p99': 8 } };

describe('a number that a rule reads of the baseline', () => {
  it.each([
    ['of the cohort of the session', LEARNED, 'mail', [17, { 'deletes.p99': 8 }, 'agent.role=mail']],
    ['of all sessions for one whose cohort was not learned', LEARNED, 'other', [7, { 'deletes.p99': 3 }, '']],
    ['of all sessions for one without a cohort', LEARNED, undefined, [7, { 'deletes.p99': 3 }, '']],
    ['the default where it was not learned', { '': {} }, 'mail', [11, { 'deletes.p99': 5 }, '']],
  ])('%s', (_, cohorts, role, wanted) => {
    expect(pausedAt(logWith(cohorts), role)).toEqual(wanted);
  });

  it('is the default, and no cohort is named, once the rule measures something else', () => {
    const former = numbersMeaning(ruleOf({ ...RULE, within: '20m' }));
    expect(pausedAt(logWith(LEARNED, former), 'mail')).toEqual([11, { 'deletes.p99': 5 }, undefined]);
  });

  it('keeps its meaning when only bounds, texts or the default change', () => {
    const changed = { ...RULE, title: 'Other', mode: 'shadow', when: { kill: 'deletes > 9' }, baselineDefaults: {} };
    expect(numbersMeaning(ruleOf(changed))).toBe(numbersMeaning(ruleOf(RULE)));
  });

  it('is a quantile by its name; any other name stays the default', () => {
    const baselineDefaults = { 'deletes.p99': 1, 'deletes.p99.9': 1, 'deletes.typical': 1, 'deletes.p100': 1 };
    expect(quantilesOf({ baselineDefaults })).toEqual([
      { name: 'deletes.p99', measure: 'deletes', share: 0.99 },
      { name: 'deletes.p99.9', measure: 'deletes', share: expect.closeTo(0.999) },
    ]);
  });
});

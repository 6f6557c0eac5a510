import { describe, expect, it } from 'vitest';
import { Coverage } from '../../../src/app/backtest/coverage.ts';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { baselineOf, intentOf, planWith } from '../../engine/evidence/lessons.ts';

const DELETING = intentOf({ after: { action: 'read' } });
const SENDS = { match: { action: 'send' }, when: { watch: 'n > 9' } };
const ANY = { id: 'any', when: { watch: 'n > 9' } };

function coverageOf(rules: Record<string, unknown>[], learned = baselineOf([DELETING])): Coverage {
  const coverage = new Coverage({ new: planWith([DELETING], learned, rules) });
  for (const action of ['delete', 'read', 'send', 'pay', 'pay'] as const) {
    const event: ActionEvent = {
      id: action,
      time: '2026-01-05T09:00:00Z',
      session: 's',
      agent: { id: 'a' },
      tool: 't',
      action,
    };
    coverage.note(event, 'mail');
  }
  return coverage;
}

describe('coverage', () => {
  it('holds what a rule looks at, what an intent marks, and what has to come before its marks', () => {
    const { all, byAction, byRole, byRule } = coverageOf([SENDS]);
    expect(all).toEqual({ events: 5, covered: { new: 3 }, chosen: { new: 3 } });
    expect(byAction.get('delete')!.covered.new).toBe(1);
    expect(byAction.get('read')!.covered.new).toBe(1);
    expect(byAction.get('pay')).toEqual({ events: 2, covered: { new: 0 }, chosen: { new: 0 } });
    expect(byRole.get('mail')!.events).toBe(5);
    expect([...byRule.new!]).toEqual([['test-rule', 1]]);
  });

  it('holds nothing for an intent that was not learned, or was changed since', () => {
    expect(coverageOf([SENDS], baselineOf([])).all.covered.new).toBe(1);
    expect(coverageOf([SENDS], baselineOf([intentOf({})])).all.covered.new).toBe(1);
  });

  it('tells what is chosen from what a rule without a match lets pass', () => {
    expect(coverageOf([ANY]).all).toEqual({ events: 5, covered: { new: 5 }, chosen: { new: 2 } });
  });
});

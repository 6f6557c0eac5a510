import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticLine, loadRules } from '../src/app/rule-folder.ts';
import { loadTests } from '../src/app/rule-test-files.ts';
import { runRuleTest } from '../src/app/rule-tests.ts';

const folder = resolve(import.meta.dirname, '../rules');
const { rules, body, diagnostics } = await loadRules([folder]);
const { tests, diagnostics: testDiagnostics } = await loadTests([folder], rules);

describe('the shipped rules', () => {
  it('have neither mistakes nor doubts', () => {
    expect([...diagnostics, ...testDiagnostics].map(diagnosticLine)).toEqual([]);
    expect(body.rules.length).toBeGreaterThanOrEqual(6);
  });

  it.each(rules.map(({ rule }) => [rule.id, rule] as const))('%s: tells people what they need', (id, rule) => {
    expect(rule.explain, 'explain').toBeDefined();
    expect(rule.runbook, 'runbook').toBeDefined();
    expect(rule.falsePositives, 'falsePositives').not.toEqual([]);
    expect(rule.tags, 'tags').not.toEqual([]);
    const own = tests.filter((one) => one.rule === id).flatMap(({ test }) => test.expect);
    expect(
      own.some(({ never }) => never === 'watch'),
      'honest work that stays clear',
    ).toBe(true);
    for (const level of ['watch', 'paused', 'killed'] as const) {
      expect(
        own.some((one) => one.level === level),
        `the event that reaches ${level}`,
      ).toBe(true);
    }
  });

  it.each(tests.map((one) => [`${one.rule}: ${one.test.name}`, one] as const))('%s', (_, { rule, test }) => {
    const owner = rules.find((one) => one.rule.id === rule)!.rule;
    expect(runRuleTest(owner, body.settings, test).failures).toEqual([]);
  });
});

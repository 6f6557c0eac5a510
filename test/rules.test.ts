import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRuleFile } from '../src/app/rule-file.ts';
import { diagnosticLine, loadRules } from '../src/app/rule-folder.ts';
import { loadTests } from '../src/app/rule-test-files.ts';
import { runRuleTest } from '../src/app/rule-tests.ts';
import { ACTIONS, OUTCOMES } from '../src/domain/event.ts';
import { FIELD_NAMES } from '../src/domain/fields.ts';
import { MEASURE_KINDS, PolicyDocument, Rule } from '../src/domain/rule.ts';
import { RuleTestFile } from '../src/domain/rule-test.ts';
import { functionNames } from '../src/engine/expression/functions.ts';
import { MODIFIERS } from '../src/engine/match/value-test.ts';
import { SESSION_NAMES } from '../src/engine/plan/names.ts';
import { readYaml } from '../src/formats/yaml-documents.ts';

const folder = resolve(import.meta.dirname, '../rules');
const { rules, body, diagnostics } = await loadRules([folder]);
const { tests, diagnostics: testDiagnostics } = await loadTests([folder], rules);

/** What MITRE ATLAS 5.6.1 has about agents. */
const ATLAS_TECHNIQUES = new Set(
  (
    '0012 0025 0029 0034 0034.002 0036 0037 0048 0048.000 0050 0051 0051.000 0051.001 0051.002 0053 0054 0055 0057 0072 0080 ' +
    '0080.000 0080.001 0081 0082 0083 0084 0084.001 0085 0085.000 0085.001 0086 0091.000 0094 0098 0099 0101 0103 0104 0105 ' +
    '0108 0109 0110 0112'
  )
    .split(' ')
    .map((number) => `atlas.aml.t${number}`),
);

describe('the shipped rules', () => {
  it('have neither mistakes nor doubts', () => {
    expect([...diagnostics, ...testDiagnostics].map(diagnosticLine)).toEqual([]);
    expect(body.rules.length).toBeGreaterThanOrEqual(20);
  });

  it.each(rules.map(({ rule }) => [rule.id, rule] as const))('%s: tells people what they need', (id, rule) => {
    expect(rule.explain, 'explain').toBeDefined();
    expect(rule.runbook, 'runbook').toBeDefined();
    expect(rule.falsePositives, 'falsePositives').not.toEqual([]);
    expect(
      rule.tags.filter((tag) => tag.startsWith('owasp.asi')),
      'tags of OWASP',
    ).not.toEqual([]);
    const techniques = rule.tags.filter((tag) => tag.startsWith('atlas.'));
    expect(techniques, 'tags of ATLAS').not.toEqual([]);
    expect(
      techniques.filter((tag) => !ATLAS_TECHNIQUES.has(tag)),
      'no technique of ATLAS',
    ).toEqual([]);
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

describe('rules/README.md', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');

  it('has examples that are right', () => {
    const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
    const isTestFile = (text: string) => /^(#.*\n)*tests:/.test(text);
    const examples = blocks.filter((text) => !isTestFile(text));
    for (const text of blocks.filter(isTestFile)) {
      expect(() => RuleTestFile.parse(readYaml(text).documents[0]?.value)).not.toThrow();
    }
    expect(examples.length).toBeGreaterThanOrEqual(2);
    const read = examples.map((text) => readRuleFile('README.md', text));
    expect(read.flatMap((one) => one.diagnostics).map(diagnosticLine)).toEqual([]);
    for (const { rule } of read.flatMap((one) => one.rules)) {
      for (const test of rule.tests) expect(runRuleTest(rule, body.settings, test).failures).toEqual([]);
    }
  });

  it.each<[string, readonly string[]]>([
    ['field of a rule', Object.keys(Rule.shape).filter((name) => name !== 'kind')],
    ['setting', Object.keys(PolicyDocument.shape)],
    ['field of an action', FIELD_NAMES],
    ['action', ACTIONS],
    ['outcome', OUTCOMES],
    ['modifier', MODIFIERS],
    ['measure', MEASURE_KINDS],
    ['function', functionNames],
    ['name of the session', Object.keys(SESSION_NAMES)],
    ['shipped file', [...new Set(rules.map(({ file }) => file.replace(/^.*\/|\.yaml$/g, '')))]],
  ])('names every %s', (_, names) => {
    const words = new Set(readme.split(/[^\w.-]+/).map((word) => word.replace(/\.$/, '')));
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });
});

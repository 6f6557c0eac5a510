import { mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticLine, loadRules, policyHash } from '../../src/app/rule-folder.ts';
import { loadTests } from '../../src/app/rule-test-files.ts';
import { check } from '../../src/cli/check.ts';
import { githubAnnotation } from '../../src/cli/check-formats.ts';
import { DEFAULT_BUDGETS } from '../../src/domain/baseline.ts';
import { reachOf, scoresOf } from '../../src/domain/reach.ts';
import { certify } from '../../src/learning/certify.ts';
import { baselineOf } from '../engine/evidence/lessons.ts';

const rule = (id: string) => `id: ${id}
title: A rule
severity: high
within: 10m
measure: { deletes: count }
when: { pause: deletes > 20 }
`;
const aTest = `tests:
  - { name: a test, events: { event: { action: delete } }, expect: [{ end: clear }] }
`;

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function said(files: Record<string, string>): Promise<string[]> {
  const folder = await folderOf(files);
  const { diagnostics } = await loadRules([folder]);
  return diagnostics.map((one) => diagnosticLine(one).replaceAll(`${folder}/`, ''));
}

describe('a folder of rules', () => {
  it('is read up to its five hundredth file, and says so', async () => {
    const names = Array.from({ length: 501 }, (_, i) => `f${String(i).padStart(3, '0')}.yaml`);
    const found = await said(Object.fromEntries(names.map((name) => [name, ''])));
    expect(found).toContain(
      'f500.yaml:1:1: error: 501 rule files; a policy has at most 500, this one and those after it are not read',
    );
    expect(found).not.toContain('f500.yaml:1:1: error: the file holds no rule');
  });

  it('reads no more of a large file than it takes to refuse it', async () => {
    const found = await said({ 'a.yaml': `# ${'x'.repeat(1_000_000)}` });
    expect(found).toEqual(['a.yaml:1:1: error: the file has more than 65536 bytes; use several files']);
  });

  it('refuses a baseline of more than 64 MiB', async () => {
    const folder = await folderOf({ 'a.yaml': rule('aa'), 'baseline.json': '' });
    await truncate(join(folder, 'baseline.json'), 64 * 1024 * 1024 + 1);
    const { body, diagnostics } = await loadRules([folder]);
    expect(body.baseline).toBeUndefined();
    expect(diagnostics.map(diagnosticLine)).toEqual([
      `${folder}/baseline.json:1:1: error: the baseline has more than 67108864 bytes; learn it again with firebreak learn`,
    ]);
  });

  describe('with budgets', () => {
    const reach = (n: number) => reachOf(Array.from({ length: n }, (_, i) => i / n));
    const learned = (n: number) =>
      JSON.stringify({ ...baselineOf([]), thresholds: certify(scoresOf(reach(n)), DEFAULT_BUDGETS), reach: reach(n) });
    const budgets = 'kind: policy\nbudgets: { watch: 10%, pause: 2%, kill: 1 in 100 }\n';
    const load = async (files: Record<string, string>) =>
      loadRules([await folderOf({ 'a.yaml': rule('aa'), ...files })]);

    it('has the thresholds that they certify, without learning again', async () => {
      const { body, diagnostics } = await load({ 'policy.yaml': budgets, 'baseline.json': learned(999) });
      expect(diagnostics).toEqual([]);
      const { watch, pause, kill } = body.baseline!.thresholds;
      expect([watch.r, pause.r, kill.r]).toEqual([100, 20, 10]);
      expect(kill).toMatchObject({ alpha: 0.01, n: 999, grade: 'conformal', c: 1 - 10 / 999 });
    });

    it('without them has those that it was learned with', async () => {
      const { body } = await load({ 'baseline.json': learned(999) });
      expect(body.baseline!.thresholds.kill).toMatchObject({ alpha: 0.0001, needed: 9999, grade: 'extrapolated' });
    });

    it('says how many sessions are missing', async () => {
      const { diagnostics } = await load({ 'policy.yaml': budgets, 'baseline.json': learned(60) });
      expect(diagnostics.map(({ severity, message }) => [severity, message])).toEqual([
        [
          'warning',
          '60 sessions certify no budget of 1 %: evidence leads to pause instead of kill; 39 sessions are missing',
        ],
      ]);
    });

    it('says that a baseline without a reach cannot follow them', async () => {
      const { body, diagnostics } = await load({
        'policy.yaml': budgets,
        'baseline.json': JSON.stringify(baselineOf([])),
      });
      expect(body.baseline!.thresholds).toEqual(baselineOf([]).thresholds);
      expect(diagnostics.map(({ message }) => message)).toEqual([expect.stringContaining('run firebreak learn')]);
    });
  });

  it('is one policy: every rule file in the order of the names, settings included', async () => {
    const folder = await folderOf({
      'b.yaml': `${rule('bb')}---\n${rule('ba')}`,
      'a.yml': rule('aa'),
      'policy.yaml': 'kind: policy\nidleEnd: 1h\nenforcers: [agent-runtime, gateway]\n',
      'a.test.yaml': `rule: aa\n${aTest}`,
      'notes.txt': 'not YAML: [',
    });
    const { body, diagnostics, files } = await loadRules([folder]);
    expect(diagnostics).toEqual([]);
    expect(body.rules.map(({ id }) => id)).toEqual(['aa', 'bb', 'ba']);
    expect(body.settings).toMatchObject({
      idleEndMs: 3_600_000,
      watchHoldMs: 600_000,
      enforcers: ['agent-runtime', 'gateway'],
    });
    expect(files.map((file) => file.replace(`${folder}/`, ''))).toEqual(['a.yml', 'b.yaml', 'policy.yaml']);
  });

  it('has one rule of a name', async () => {
    expect(await said({ 'a.yaml': rule('aa'), 'b.yaml': `${rule('bb')}---\n${rule('aa')}` })).toEqual([
      'b.yaml:8:5: error: rule "aa": the id "aa" is taken already, at a.yaml:1:5; an id belongs to one rule',
    ]);
  });

  it('has one document with settings', async () => {
    expect(await said({ 'a.yaml': `kind: policy\n---\n${rule('aa')}`, 'b.yaml': '# twice\nkind: policy\n' })).toEqual([
      'b.yaml:2:1: error: a policy has one document with settings; the other one is at a.yaml:1:1',
    ]);
  });

  it.each([
    ['[gateway, gateway]', 'a.yaml:2:12: error: enforcers: each class once'],
    ['[My Gateway]', 'a.yaml:2:13: error: enforcers.0: found "My Gateway"; allowed: lower-case letters, digits and -'],
  ])('with the enforcers %s is refused', async (enforcers, message) => {
    expect(await said({ 'a.yaml': `kind: policy\nenforcers: ${enforcers}\n---\n${rule('aa')}` })).toEqual([message]);
  });

  it('without rule files is a mistake', async () => {
    expect((await said({ 'notes.txt': '' }))[0]).toMatch(/error: no rule files here/);
    const { diagnostics } = await loadRules(['/nowhere/rules']);
    expect(diagnostics.map(diagnosticLine)).toEqual([
      '/nowhere/rules:1:1: error: no rule files here; a path is a folder with *.yaml files, or one such file',
    ]);
  });

  it('is the same policy whoever edits a test or the layout, and another one after any change of a rule', async () => {
    const hash = async (text: string) => policyHash((await loadRules([await folderOf({ 'a.yaml': text })])).body);
    const before = await hash(rule('aa'));
    expect(await hash(rule('aa') + aTest)).toBe(before);
    expect(await hash(`# a comment\n${rule('aa').replace('{ deletes: count }', '\n  deletes: count')}`)).toBe(before);
    expect(await hash(rule('aa').replace('> 20', '> 21'))).not.toBe(before);
    expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('the tests beside the rules', () => {
  it('are placed in their files', async () => {
    const folder = await folderOf({ 'a.yaml': rule('aa') + aTest, 'a.test.yaml': `rule: aa\n${aTest}` });
    const { tests, diagnostics } = await loadTests([folder], (await loadRules([folder])).rules);
    expect(diagnostics).toEqual([]);
    expect(tests.map(({ file, line, rule: id }) => [file.replace(`${folder}/`, ''), line, id])).toEqual([
      ['a.yaml', 8, 'aa'],
      ['a.test.yaml', 3, 'aa'],
    ]);
  });

  it('are checked like rules', async () => {
    const wrong = `rule: ab\ntests:\n  - { name: a test, evens: { event: {} }, expect: [{ end: clear }] }\n`;
    const unknown = `rule: ab\n${aTest.replace('action:', 'acton:')}`;
    const folder = await folderOf({ 'aa.yaml': rule('aa'), 'x.test.yaml': wrong, 'y.test.yaml': unknown });
    const { ok, text } = await check([folder], 'text');
    expect(ok).toBe(false);
    expect(
      text.replaceAll(`${folder}/`, ''),
    ).toBe(`x.test.yaml:3:21: error: unknown field "evens"; did you mean "events"?
y.test.yaml:1:7: error: no usable rule "ab" among those that are checked; did you mean "aa"?
y.test.yaml:3:40: error: an event of a test has no field "acton"; did you mean "action"?
3 mistakes; 1 rule in 1 file can be used
`);
  });
});

describe('firebreak check', () => {
  it('passes a folder with warnings', async () => {
    const folder = await folderOf({ 'a.yaml': rule('aa').replace('{ pause', '{ watch: deletes > 30, pause') });
    const { ok, text } = await check([folder], 'text');
    expect(ok).toBe(true);
    expect(text).toContain('a.yaml:6:37: warning: rule "aa": pause needs no more than watch');
    expect(text).toContain('1 rule in 1 file: no mistakes, 1 warning');
  });

  it('warns of what is expired, where its date stands, and asks nobody to mend the rules for it', async () => {
    const more = 'reason: known, owner: mail-team, expires: 2020-02-29 }\n';
    const own = `exceptions:\n  - { name: one, match: { tenant: x }, atMost: watch, ${more}`;
    const shadow = `${rule('bb')}mode: shadow\nshadowUntil: 2020-01-31\n`;
    const ofFolder = `{ kind: exception, name: two, match: { tenant: y }, atMost: watch, ${more}`;
    const folder = await folderOf({ 'a.yaml': `${rule('aa')}${own}---\n${shadow}`, 'b.yaml': ofFolder });
    const { ok, text } = await check([folder], 'text');
    expect(ok).toBe(true);
    const lines = text
      .replaceAll(`${folder}/`, '')
      .replaceAll(/\d+ days/g, 'N days')
      .split('\n');
    expect(lines).toEqual([
      'a.yaml:8:97: warning: exception "one" expired N days ago (2020-02-29), owner mail-team: it lifts nothing; renew or remove it',
      'a.yaml:17:14: warning: shadow rule "bb" expired N days ago (2020-01-31): it judges nothing; enforce, renew or remove it',
      'b.yaml:1:110: warning: exception "two" expired N days ago (2020-02-29), owner mail-team: it lifts nothing; renew or remove it',
      '2 rules in 2 files: no mistakes, 3 warnings',
      '',
    ]);
  });

  it('says the same as JSON', async () => {
    const folder = await folderOf({ 'a.yaml': rule('aa').replace('high', 'hihg') });
    const { ok, text } = await check([folder], 'json');
    expect(ok).toBe(false);
    expect(JSON.parse(text)).toMatchObject({
      ok: false,
      diagnostics: [{ file: join(folder, 'a.yaml'), line: 3, col: 11, severity: 'error', rule: 'aa' }],
    });
  });

  it('says the same as SARIF 2.1.0', async () => {
    const folder = await folderOf({ 'a b.yaml': rule('aa').replace('high', 'hihg') });
    const { ok, text } = await check([folder], 'sarif');
    expect(ok).toBe(false);
    const log = JSON.parse(text);
    expect(log).toMatchObject({ $schema: expect.stringMatching(/sarif-2\.1\.0/), version: '2.1.0' });
    expect(Object.keys(log).sort()).toEqual(['$schema', 'runs', 'version']);
    expect(log.runs).toEqual([
      {
        columnKind: 'utf16CodeUnits',
        tool: {
          driver: {
            name: 'firebreak',
            version: expect.stringMatching(/^\d+\.\d+\.\d+/),
            rules: [
              expect.objectContaining({ id: 'firebreak/mistake', defaultConfiguration: { level: 'error' } }),
              expect.objectContaining({ id: 'firebreak/doubt', defaultConfiguration: { level: 'warning' } }),
            ],
          },
        },
        results: [
          {
            ruleId: 'firebreak/mistake',
            ruleIndex: 0,
            level: 'error',
            message: { text: 'rule "aa": severity: found "hihg"; allowed: info, low, medium, high, critical' },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: `file://${folder}/a%20b.yaml` },
                  region: { startLine: 3, startColumn: 11 },
                },
              },
            ],
          },
        ],
      },
    ]);
  });

  it('says in SARIF that nothing is wrong', async () => {
    const { ok, text } = await check([await folderOf({ 'a.yaml': rule('aa') })], 'sarif');
    expect([ok, JSON.parse(text).runs[0].results]).toEqual([true, []]);
  });

  it('annotates a GitHub job, with what would end a line or a property escaped', () => {
    const at = { file: 'my,rules/a:b.yaml', line: 3, col: 11 };
    expect(githubAnnotation({ ...at, severity: 'error', rule: 'aa', message: '100%\nwrong' })).toBe(
      '::error file=my%2Crules/a%3Ab.yaml,line=3,col=11,title=firebreak check::rule "aa": 100%25%0Awrong',
    );
  });

  it('annotates doubts as warnings', async () => {
    const folder = await folderOf({ 'a.yaml': rule('aa').replace('{ pause', '{ watch: deletes > 30, pause') });
    const { ok, text } = await check([folder], 'github');
    expect(ok).toBe(true);
    expect(text).toMatch(/^::warning file=.*a\.yaml,line=6,col=37,title=firebreak check::rule "aa": pause needs/);
  });
});

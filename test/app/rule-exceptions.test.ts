import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticLine, loadRules, policyHash } from '../../src/app/rule-folder.ts';
import { PolicyBody } from '../../src/domain/rule.ts';

const rule = (id: string, more = '') => `id: ${id}
title: A rule
severity: high
match: { action: delete }
within: 10m
measure: { deletes: count }
when: { watch: deletes > 10, pause: deletes > 20 }
${more}`;
const rest = 'reason: known work\nowner: mail-team\nexpires: 2027-01-31\n';
const ofFolder = (name: string, more: string) => `kind: exception\nname: ${name}\natMost: watch\n${rest}${more}`;
const own = (name: string) =>
  `exceptions:\n  - { name: ${name}, match: { tenant: x }, atMost: pause, ${rest.trim().replaceAll('\n', ', ')} }\n`;

async function loaded(...texts: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'));
  for (const [index, text] of texts.entries()) await writeFile(join(folder, `${'abc'[index]}.yaml`), text);
  const { body, diagnostics } = await loadRules([folder]);
  return { body, said: diagnostics.map((one) => diagnosticLine(one).replaceAll(`${folder}/`, '')) };
}

function namesIn({ rules }: PolicyBody): Record<string, string[]> {
  return Object.fromEntries(rules.map(({ id, exceptions = [] }) => [id, exceptions.map(({ name }) => name)]));
}

describe('exceptions of a folder', () => {
  it('stand in each rule that they are about, after its own, as the policy holds them', async () => {
    const { body, said } = await loaded(
      `${rule('aa', own('its-own'))}---\n${rule('bb')}`,
      `${ofFolder('for-all', 'match: { purpose: cleanup }\n')}---\n${ofFolder('for-bb', 'rules: [bb]\nmatch: { purpose: x }\n')}`,
    );
    expect(said).toEqual([]);
    expect(namesIn(body)).toEqual({ aa: ['its-own', 'for-all'], bb: ['for-all', 'for-bb'] });
    expect(PolicyBody.parse(body)).toEqual(body);
  });

  it('and of rules may name lists and macros', async () => {
    const { body, said } = await loaded(
      rule(
        'aa',
        `exceptions:\n  - { name: one, match: { agent.id: { list: robots } }, atMost: watch, ${rest.trim().replaceAll('\n', ', ')} }\n`,
      ),
      `kind: list\nname: robots\nvalues: [r1, r2]\n---\nkind: macro\nname: night\nmatch: { purpose: night-work }\n`,
      ofFolder('two', 'match: { macro: night, tenant: corp }\n'),
    );
    expect(said).toEqual([]);
    expect(body.rules[0]!.exceptions!.map(({ match }) => match)).toEqual([
      { 'agent.id': ['r1', 'r2'] },
      { tenant: 'corp', purpose: 'night-work' },
    ]);
  });

  it('have names that no other exception of the folder has', async () => {
    const { said } = await loaded(rule('aa', own('one')), ofFolder('one', 'match: { purpose: x }\n'));
    expect(said).toEqual(['b.yaml:2:7: error: the exception "one" exists already, at a.yaml:9:13']);
  });

  it('tell their mistakes once, where they stand, and are in no rule then', async () => {
    const { body, said } = await loaded(
      `${rule('aa')}---\n${rule('bb')}`,
      ofFolder('one', 'match: { acton: delete, tool: { list: tols } }\n'),
    );
    expect(said).toEqual([
      'b.yaml:7:10: error: unknown field "acton"; did you mean "action"?; the fields are listed in rules/README.md',
      'b.yaml:7:39: error: unknown list "tols"; there is no document with kind: list',
    ]);
    expect(namesIn(body)).toEqual({ aa: [], bb: [] });
  });

  it('are at most 64 in one rule', async () => {
    const many = Array.from({ length: 64 }, (_, i) => ofFolder(`no-${i}`, 'match: { purpose: x }\n')).join('---\n');
    expect((await loaded(rule('aa'), many)).said).toEqual([]);
    expect((await loaded(rule('aa', own('its-own')), many)).said).toEqual([
      'a.yaml:8:1: error: rule "aa": the rule has 65 exceptions, 64 of them from the folder; at most 64',
    ]);
  });
});

it('a rule without exceptions is the same policy as before there were any', async () => {
  const { body } = await loaded(rule('aa'));
  expect(Object.keys(body.rules[0]!)).not.toContain('exceptions');
  expect(policyHash(body)).not.toBe(policyHash((await loaded(rule('aa', own('one')))).body));
});

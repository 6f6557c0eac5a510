import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticLine, loadRules, policyHash } from '../../src/app/rule-folder.ts';

const rule = (match: string, id = 'many-deletes') => `id: ${id}
title: A rule
severity: high
match: ${match}
within: 10m
measure: { deletes: count }
when: { pause: deletes > 20 }
`;
const list = (name: string, values: string) => `kind: list\nname: ${name}\nvalues: ${values}\n`;
const macro = (name: string, match: string) => `kind: macro\nname: ${name}\nmatch: ${match}\n`;

async function loaded(...texts: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'));
  for (const [index, text] of texts.entries()) await writeFile(join(folder, `${'abc'[index]}.yaml`), text);
  const { body, diagnostics } = await loadRules([folder]);
  return { body, said: diagnostics.map((one) => diagnosticLine(one).replaceAll(`${folder}/`, '')) };
}

describe('lists and macros', () => {
  const tools = list('tools', '[db.drop, db.truncate]');
  const both = `${tools}---\n${macro('risky', '{ tool: { list: tools }, outcome: ok }')}`;
  const either = macro('either', '[{ action: delete }, { action: update, affected|gte: 10 }]');

  it.each<[string, string, string, string]>([
    ['a list', tools, '{ tool: { list: tools } }', '{ tool: [db.drop, db.truncate] }'],
    ['a list after a modifier', tools, '{ tool|neq: { list: tools } }', '{ tool|neq: [db.drop, db.truncate] }'],
    [
      'a macro',
      both,
      '{ macro: risky, action: delete }',
      '{ action: delete, tool: [db.drop, db.truncate], outcome: ok }',
    ],
    [
      'a macro of alternatives',
      either,
      '{ macro: either, outcome: ok }',
      '[{ action: delete, outcome: ok }, { action: update, affected|gte: 10, outcome: ok }]',
    ],
    [
      'macros in a list of maps',
      `${both}---\n${either}`,
      '[{ macro: risky }, { macro: [either, risky] }]',
      '[{ tool: [db.drop, db.truncate], outcome: ok }, { action: delete, tool: [db.drop, db.truncate], outcome: ok }, { action: update, affected|gte: 10, tool: [db.drop, db.truncate], outcome: ok }]',
    ],
    [
      'a macro of macros',
      `${both}---\n${macro('outer', '{ macro: risky, action: delete }')}`,
      '{ macro: outer }',
      '{ action: delete, tool: [db.drop, db.truncate], outcome: ok }',
    ],
  ])('%s: the policy holds what is written out, and is the same policy', async (_, fragments, written, plain) => {
    const short = await loaded(rule(written), fragments);
    expect(short.said).toEqual([]);
    expect(policyHash(short.body)).toBe(policyHash((await loaded(rule(plain))).body));
  });

  it('another value in a list makes another policy', async () => {
    const hash = async (values: string) =>
      policyHash((await loaded(rule('{ tool: { list: tools } }'), list('tools', values))).body);
    expect(await hash('[a, b]')).not.toBe(await hash('[a, c]'));
  });

  it.each<[string, string[], string[]]>([
    [
      'an unknown list',
      [rule('{ tool: { list: tolls }, outcome: ok }'), `${rule('{ tool: { list: tools } }', 'more')}---\n${tools}`],
      ['a.yaml:4:24: error: rule "many-deletes": unknown list "tolls"; did you mean "tools"?'],
    ],
    [
      'an unknown macro among several',
      [`${rule('{ macro: [risky, riksy] }')}---\n${both}`],
      ['a.yaml:4:25: error: rule "many-deletes": unknown macro "riksy"; did you mean "risky"?'],
    ],
    [
      'no list at all',
      [rule('{ tool: { list: tools } }')],
      ['a.yaml:4:24: error: rule "many-deletes": unknown list "tools"; there is no document with kind: list'],
    ],
    [
      'macros in a circle',
      [`${rule('{ macro: aa }')}---\n${macro('aa', '{ macro: bb }')}---\n${macro('bb', '{ macro: aa }')}`],
      ['a.yaml:15:17: error: the macro "aa" contains itself: aa → bb → aa'],
    ],
    [
      'a key of the map in the macro too',
      [`${rule('{ outcome: ok, macro: risky }')}---\n${both}`],
      [
        'a.yaml:4:30: error: rule "many-deletes": the macro "risky" brings "outcome", and this map has it too; a map has each key once',
      ],
    ],
    [
      'a key in two macros',
      [`${rule('{ macro: [risky, other] }')}---\n${both}---\n${macro('other', '{ outcome: denied }')}`],
      [
        'a.yaml:4:25: error: rule "many-deletes": the macro "other" brings "outcome", and so does the macro "risky"; a map has each key once',
      ],
    ],
    [
      'a mistake in a macro, told once and there',
      [`${rule('{ macro: bad }')}---\n${rule('{ macro: bad }', 'more')}`, macro('bad', '{ acton: delete }')],
      ['b.yaml:3:10: error: unknown field "acton"; did you mean "action"?; the fields are listed in rules/README.md'],
    ],
    [
      'a mistake beside a macro of alternatives, told once',
      [`${rule('{ action: delet, macro: tens }')}---\n${macro('tens', '[{ rows: 1 }, { rows: 2 }]')}`],
      [
        'a.yaml:4:18: error: rule "many-deletes": "delet" is not an action; did you mean "delete"?; allowed: read list secret_read create update delete send pay admin auth execute other',
      ],
    ],
    [
      'a list that the field does not take, told where it is used',
      [`${rule('{ outcome: { list: tools } }')}---\n${list('tools', '[fine]')}`],
      [
        'a.yaml:4:19: error: rule "many-deletes": "fine" is not an outcome; known: ok, error, denied, unknown; allowed: ok error denied unknown',
      ],
    ],
    [
      'a list in a list',
      [`${rule('{ tool: { list: tools } }')}---\n${list('tools', '[{ list: tools }]')}`],
      ['a.yaml:11:10: error: values.0: found an object; allowed: a string, or a number, or true or false'],
    ],
    [
      'one name twice',
      [`${rule('{ tool: { list: tools } }')}---\n${tools}`, tools],
      ['b.yaml:2:7: error: the list "tools" exists already, at a.yaml:10:7'],
    ],
    ['what nobody uses', [rule('{ action: delete }'), both], ['b.yaml:6:7: warning: no rule uses the macro "risky"']],
    [
      'macros that multiply beyond the bound',
      [
        `${rule('{ macro: [aa, bb] }')}---\n${macro('aa', `[${Array.from({ length: 9 }, (_, i) => `{ rows: ${i} }`)}]`)}---\n${macro('bb', `[${Array.from({ length: 9 }, (_, i) => `{ bytes: ${i} }`)}]`)}`,
      ],
      ['a.yaml:4:8: error: rule "many-deletes": with its macros written out the match has more than 64 maps'],
    ],
    [
      'macros nested too deep',
      [
        `${rule('{ macro: m0 }')}---\n${Array.from({ length: 9 }, (_, i) => macro(`m${i}`, i === 8 ? '{ rows: 1 }' : `{ macro: m${i + 1} }`)).join('---\n')}`,
      ],
      ['a.yaml:39:17: error: macros are nested deeper than 8'],
    ],
  ])('%s', async (_, texts, wanted) => {
    const { said, body } = await loaded(...texts);
    const other = said.filter((one) => !wanted.includes(one));
    expect(other).toEqual([]);
    expect(said).toEqual(wanted);
    if (wanted.some((one) => one.includes('rule "many-deletes"'))) {
      expect(body.rules.map(({ id }) => id)).not.toContain('many-deletes');
    }
  });
});

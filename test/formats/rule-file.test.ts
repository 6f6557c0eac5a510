import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRuleFile } from '../../src/app/rule-file.ts';
import { diagnosticLine } from '../../src/app/rule-folder.ts';
import { readYaml } from '../../src/formats/yaml-documents.ts';
import { refusedBeforeParsing, YAML_LIMITS } from '../../src/formats/yaml-limits.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/rules');
const broken = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function said(text: string, file = 'x.yaml') {
  return readRuleFile(file, text).diagnostics.map(diagnosticLine);
}

const GOOD = `id: many-deletes
title: Many deletions
severity: high
within: 10m
measure: { deletes: count }
when: { pause: deletes > 20 }
`;

describe('one broken file per mistake', () => {
  it('is a collection', () => expect(broken.length).toBeGreaterThanOrEqual(60));

  it.each(broken)('%s', (name) => {
    const wanted = readFileSync(join(folder, name.replace('.yaml', '.txt')), 'utf8').trimEnd();
    const found = said(readFileSync(join(folder, name), 'utf8'), name);
    expect(found.join('\n')).toBe(wanted);
  });
});

describe('a good file', () => {
  it('has nothing to say, and rules with their places', () => {
    const read = readRuleFile('x.yaml', `kind: policy\nwatchHold: 5m\n---\n${GOOD}`);
    expect(read.diagnostics).toEqual([]);
    expect(read.settings).toMatchObject([
      { line: 1, col: 1, settings: { watchHoldMs: 300_000, idleEndMs: 1_800_000 } },
    ]);
    expect(read.rules).toMatchObject([
      { line: 4, col: 5, rule: { id: 'many-deletes', mode: 'enforce', by: 'session' } },
    ]);
  });

  it('gives no rule when one of its documents is wrong, and still the others', () => {
    const read = readRuleFile('x.yaml', `${GOOD}---\n${GOOD.replace('many-deletes', 'more').replace('> 20', '> x')}`);
    expect(read.rules.map(({ rule }) => rule.id)).toEqual(['many-deletes']);
    expect(read.ids.map(({ id, line }) => [id, line])).toEqual([
      ['many-deletes', 1],
      ['more', 8],
    ]);
  });

  it('may begin with a byte order mark and end its lines with CR LF', () => {
    expect(said(`\ufeff${GOOD}`)).toEqual([]);
    expect(said(GOOD.replaceAll('\n', '\r\n'))).toEqual([]);
    expect(said(`${GOOD}explain: "{x}"\n`.replaceAll('\n', '\r\n'))).toEqual([
      'x.yaml:7:11: error: rule "many-deletes": unknown name "x"; known: deletes, session.age, session.actions, session.level, session.agent, session.role, session.principal, session.purpose',
    ]);
  });
});

describe('positions inside expressions', () => {
  const forms: [name: string, write: (expression: string) => string][] = [
    ['plain', (text) => text],
    ['double quoted', (text) => JSON.stringify(text)],
    ['single quoted', (text) => `'${text.replaceAll("'", "''")}'`],
    ['literal block', (text) => `|\n    ${text}`],
    ['literal block, indented more', (text) => `|-\n         ${text}\n`],
    ['folded block', (text) => `>\n    ${text}`],
    ['folded over lines', (text) => `>-\n    ${text.replaceAll(' and ', '\n    and ')}`],
    ['plain over lines', (text) => text.replaceAll(' and ', '\n      and ')],
    ['double quoted over lines', (text) => JSON.stringify(text).replaceAll(' and ', '\n      and ')],
    ['escapes before it', (text) => JSON.stringify(text).replaceAll('d', '\\x64').replaceAll('e', '\\u0065')],
  ];

  it.each(forms)('%s', (_, write) => {
    const operand = fc.constantFrom('deletes > 20', "contains(session.role, 'é')", 'not (deletes < 3)');
    const wrong = 'zq';
    fc.assert(
      fc.property(fc.array(operand, { maxLength: 5 }), fc.array(operand, { maxLength: 2 }), (before, after) => {
        const expression = [...before, `${wrong} > 1`, ...after].join(' and ');
        const text = `${GOOD.split('when:')[0]}when:\n  pause: ${write(expression)}\n`;
        const lines = text.split('\n');
        const line = lines.findIndex((one) => one.includes(wrong));
        const found = readRuleFile('x.yaml', text).diagnostics;
        expect(found).toHaveLength(1);
        expect(found[0]).toMatchObject({ line: line + 1, col: lines[line]!.indexOf(wrong) + 1 });
      }),
    );
  });
});

describe('hostile YAML', () => {
  it('a file over the bound is not read', () => {
    expect(said(`# ${'x'.repeat(YAML_LIMITS.bytes)}`)[0]).toMatch(
      /^x\.yaml:1:1: error: the file has more than 65536 bytes/,
    );
  });

  // Whatever the machine does meanwhile: the parser, which would take minutes or overflow its stack, never sees them.
  it.each([
    ['? keys, which the parser takes minutes for', '? '.repeat(20_000)],
    ['open lists', '['.repeat(60_000)],
    ['open maps', '{a: '.repeat(15_000)],
    ['list in list', '- '.repeat(30_000)],
    ['a bomb of aliases', 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n'],
    ['a merge key', 'base: &b { id: x }\nrule: { <<: *b }\n'],
  ])('%s: refused before it is parsed', (_, text) => {
    expect(refusedBeforeParsing(text)).not.toEqual([]);
    const { documents, problems } = readYaml(text);
    expect(documents).toEqual([]);
    expect(problems).toHaveLength(refusedBeforeParsing(text).length);
  });

  it('a field called __proto__ changes nothing', () => {
    const found = said(`${GOOD}__proto__: { mode: shadow }\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('unknown field "__proto__"');
    expect(({} as { mode?: string }).mode).toBeUndefined();
  });

  it('any text is answered with diagnostics, never with a throw', () => {
    const piece = fc.constantFrom(
      'id: x',
      '\n',
      '  ',
      '- ',
      ': ',
      '"',
      "'",
      '|',
      '>',
      '[',
      '}',
      '#',
      'when:',
      '---\n',
      '? ',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { size: 'max', maxLength: 60 }), (parts) => {
        const { diagnostics, rules } = readRuleFile('x.yaml', parts.join(''));
        expect(diagnostics.length + rules.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { readRuleFile } from '../../src/app/rule-file.ts';
import { diagnosticLine } from '../../src/app/rule-folder.ts';
import { readYaml } from '../../src/formats/yaml-documents.ts';
import { YAML_LIMITS } from '../../src/formats/yaml-limits.ts';

const GOOD = `id: many-deletes
title: Many deletions
severity: high
within: 10m
measure: { deletes: count }
when: { pause: deletes > 20 }
`;
const { documents, parts, depth, keys, items, keyLength, textLength } = YAML_LIMITS;
const numbered = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, i) => line(i));

/** What is refused, where, and in which words. */
const refused: [name: string, text: string | Uint8Array, line: number, col: number, message: string][] = [
  ['documents', 'a: 1\n---\n'.repeat(documents + 1), 2 * documents + 2, 1, 'more than 64 documents'],
  ['parts, as numbers', `a: [${'1,'.repeat(parts)}]`, 1, parts + 2, 'more than 8000 keys, values, marks'],
  ['parts, as lines', '\n'.repeat(parts + 1), parts + 1, 1, 'more than 8000 keys'],
  ['brackets', '['.repeat(depth + 1), 1, depth + 1, 'nested deeper than 32'],
  ['lists in lists', '- '.repeat(depth + 1), 1, 2 * depth + 1, 'nested deeper than 32'],
  [
    'maps in maps',
    numbered(depth + 1, (i) => `${' '.repeat(i)}a:\n`).join(''),
    depth + 1,
    depth + 1,
    'nested deeper than 32',
  ],
  ['keys', `x:\n${numbered(keys + 1, (i) => `  k${i}: 1\n`).join('')}`, 2, 3, 'the map has 257 keys; at most 256'],
  ['items', `x:\n${'  - 1\n'.repeat(items + 1)}`, 2, 3, 'the list has 1001 items; at most 1000'],
  ['a key', `${'k'.repeat(keyLength + 1)}: 1`, 1, 1, 'the key has 257 characters; at most 256'],
  ['a text', `a: "${'x'.repeat(textLength + 1)}"`, 1, 4, 'the text has 8193 characters; at most 8192'],
  ['a key twice', 'a: 1\nb: 2\n"a": 3\n', 3, 1, 'the key "a" is there already'],
  ['a key that is a list', '[a, b]: 1\n', 1, 1, 'a key is a text, not a map or a list'],
  ['a directive', '%YAML 1.1\n---\na: 1\n', 1, 1, 'directives are not allowed'],
  ['a NUL', 'a: 1\nb: x\0y\n', 2, 5, 'the control character U+0000 is not allowed'],
  ['a mark of the lexer', 'a: \u001fx\n', 1, 4, 'the control character U+001F is not allowed'],
  ['bytes that are no UTF-8', Uint8Array.from([0x61, 0x3a, 0x20, 0x0a, 0x62, 0xc3, 0x28]), 2, 2, 'not UTF-8'],
];

describe('limits of a rule file', () => {
  it.each(refused)('%s: refused at its place', (_, text, line, col, message) => {
    const read = readYaml(text);
    expect(read.documents).toEqual([]);
    expect(read.problems[0]).toMatchObject({ line, col, message: expect.stringContaining(message) });
  });

  it('a file at the limits is read', () => {
    const text = `${numbered(keys - 1, (i) => `k${i}: 1\n`).join('')}x:\n${'  - 1\n'.repeat(items)}`;
    expect(readYaml(text).problems).toEqual([]);
    expect(readYaml('a: 1\n---\n'.repeat(documents - 1)).problems).toEqual([]);
  });

  it('shows the first hundred mistakes and counts the others', () => {
    const found = readRuleFile('x.yaml', `${GOOD}${numbered(200, (i) => `x${i}: 1\n`).join('')}`).diagnostics;
    expect(found).toHaveLength(101);
    expect(found[0]).toMatchObject({ line: 7, message: expect.stringMatching(/^unknown field "x0"/) });
    expect(diagnosticLine(found[100]!)).toBe('x.yaml:107:1: error: and 100 more from here on; the first 100 are shown');
  });

  it.each([
    ['copies', "'(a{100}b{100}){6}'", 'copy at most 1000 parts; these copy 1200'],
    ['length', `'${'a'.repeat(257)}'`, 'has at most 256 characters'],
    ['Unicode classes', `'${'\\pL'.repeat(7)}'`, 'at most 6 Unicode classes'],
  ])('bounds a regular expression: %s', (_, regex, message) => {
    const found = readRuleFile('x.yaml', `${GOOD}match: { target|re: ${regex} }\n`).diagnostics;
    expect(found).toMatchObject([{ line: 7, col: 21, message: expect.stringContaining(message) }]);
  });
});

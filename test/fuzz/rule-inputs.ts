import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { functionNames } from '../../src/engine/expression/functions.ts';
import { paths } from '../engine/expression/declared.ts';

const root = resolve(import.meta.dirname, '../..');
const seeds = ['rules', 'fixtures/rules'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);

/** Every name, number and text of the seeds: one in the place of another makes rules that are wrong only in meaning. */
const words = [...new Set(seeds.flatMap((text) => text.match(/[\w.|-]+/g) ?? []))];

const YAML_PIECES =
  '- |: |{|}|[|]|,|"|\'|#|&a |*a|!!str |? |---\n|...\n|\n|\r\n|\t|  |\0|\ufeff|%YAML 1.1\n|\\|>-\n|~|null|true|.inf|0x1f|1e999|-1|__proto__: 1\n|constructor: |' +
  'macro: |{ list: x }|match: |when: |measure: |exceptions: |tests: |kind: |action|tool\\|re: |session|10m|count|sum(amount)|(a{30}){30}|(?i)\\pL|kill: |repeat: 9999|percentile(amount, 95)|percentile(rows, 101)|points(30m)|weight: affected * amount\n|weight: { by: tool, values: { a: 1 }, other: 2 }\n|mark: again(target)\n';
const yamlPiece = fc.constantFrom(...YAML_PIECES.split(/(?<!\\)\|/).map((piece) => piece.replace('\\|', '|')));
const edit = fc.record({
  at: fc.nat(10_000),
  how: fc.oneof(
    { weight: 3, arbitrary: fc.constant('other word' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('insert', 'replace', 'remove', 'repeat', 'line twice', 'no line', 'swap lines', 'cut'),
    },
  ),
  word: fc.constantFrom(...words),
  length: fc.integer({ min: 1, max: 40 }),
  put: fc.oneof({ weight: 3, arbitrary: yamlPiece }, fc.string({ unit: 'binary', maxLength: 5 })),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

function edited(text: string, { at, how, length, put, word }: Edit): string {
  const from = text.length === 0 ? 0 : at % text.length;
  const lines = text.split('\n');
  const line = at % lines.length;
  switch (how) {
    case 'other word':
      return text.slice(0, from) + text.slice(from).replace(/[\w.|-]+/, () => word);
    case 'insert':
      return text.slice(0, from) + put + text.slice(from);
    case 'replace':
      return text.slice(0, from) + put + text.slice(from + length);
    case 'remove':
      return text.slice(0, from) + text.slice(from + length);
    case 'repeat':
      return text.slice(0, from) + put.repeat(length * 50) + text.slice(from);
    case 'line twice':
      return lines.toSpliced(line, 0, lines[line]!).join('\n');
    case 'no line':
      return lines.toSpliced(line, 1).join('\n');
    case 'swap lines':
      return lines
        .toSpliced(line, 1)
        .toSpliced((line + length) % lines.length, 0, lines[line]!)
        .join('\n');
    case 'cut':
      return text.slice(0, from);
  }
}

/** Rule files that ship or are broken on purpose, with up to three edits; heaps of pieces; bytes. */
export const ruleInput: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 3 }))
      .map(([text, edits]) => edits.reduce(edited, text)),
  },
  { weight: 1, arbitrary: fc.array(yamlPiece, { maxLength: 300, size: 'max' }).map((pieces) => pieces.join('')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2000, size: 'max' }) },
);

const good = [
  'deletes > max(20, 3 * p99) and targets / deletes > 0.5',
  'if(quiet, session.age, baseline.deletes.p99) >= duration("5m")',
  'oneOf(tool, "a", "b") ? -deletes ^ 2 : clamp(p99, 0, 1)',
  'not (contains(tool, "read") or session.delegated) and min(deletes, 4) != 3',
];
const SYMBOLS = '+ - * / ^ < <= > >= == != = ? : ( ) [ ] { } , ; . ! % & | ~ # " \' ?. ?? .* and or not in to mod xor';
const WORDS =
  'constructor __proto__ import createUnit parse evaluate simplify chain end null NaN \\u0063 x true 1 .5 1e9';
const fragment = fc.constantFrom(...SYMBOLS.split(' '), ...WORDS.split(' '), ...paths, ...functionNames, '"5m"', '\n');
const expressionEdit = fc.tuple(
  fc.nat(600),
  fc.integer({ min: 0, max: 8 }),
  fragment,
  fc.integer({ min: 1, max: 200 }),
);

/** Good expressions with fragments put in, some of them many times; heaps of fragments; texts. */
export const expressionInput: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.constantFrom(...good), fc.array(expressionEdit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((now, [at, cut, put, times]) => {
      const from = at % (now.length + 1);
      return now.slice(0, from) + put.repeat(times > 150 ? times : 1) + now.slice(from + cut);
    }, text),
  ),
  fc
    .tuple(fc.array(fragment, { maxLength: 60, size: 'max' }), fc.constantFrom('', ' '))
    .map(([parts, between]) => parts.join(between)),
  fc.string({ unit: 'binary', size: 'max', maxLength: 600 }),
);

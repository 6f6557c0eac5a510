import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { ExpressionFault } from '../../../src/engine/expression/fault.ts';
import { functionNames } from '../../../src/engine/expression/functions.ts';
import { names, paths } from './declared.ts';
import { forbidden } from './forbidden.ts';

const values = [50, 40, 8, 12.5, 900, 'db.read', 'analyst', true, false];

const escapes = [
  'cos.constructor("return process")()',
  'cos.constructor("return process.env")().HOME',
  '"".constructor.constructor("return 1")()',
  'deletes.constructor > 1',
  'tool["constructor"]',
  'tool["__proto__"]["polluted"]',
  '[].map.constructor("return 1")()',
  '[][["constructor"]]',
  'deletes["\\u0063onstructor"]',
  '{constructor: 1}',
  '{"__proto__": {"a": 1}}',
  'import({a: 1}, {})',
  'import("fs")',
  'createUnit("x")',
  'reviver("a", 1)',
  'config({matrix: "Array"})',
  'evaluate("1+1")',
  'parse("1+1").compile().evaluate()',
  'parser().evaluate("1")',
  'compile("1").evaluate()',
  'simplify("1+x")',
  'derivative("x^2", "x")',
  'resolve("x")',
  'chain(3).done()',
  'typed("f", {})',
  // What was reported to mathjs from 2017 to 2024, and repaired there; CVE-2017-1001002 to -1001004 and CVE-2020-7743 too.
  'sqrt.constructor.call(null, "return 1")()',
  'cos.constructor.bind()("return 1")()',
  '["//", "return process"]._data.map(cos.constructor)[1]()',
  '{}.constructor.assign(cos.constructor, {bind: null})',
  'import({matrix: cos.constructor}, {override: 1})',
  'x = {subset: cos.constructor}[tool]; x()',
  '[].map[concat("constr", "uctor")]("return 1")()',
  'tool.co\\u006Estructor',
  'tool.co\u006Estructor("return 1")()',
  'tool["co\\u006Estructor"] = 2',
  '{co\\u006Estructor: 2}',
  'parser().get("constructor")',
  'evaluate("value", {}.constructor)("return 1")()',
  '{}.valueOf.bind("".toString)',
  'tool.__defineGetter__("value", f)',
  'expression.node.Node.prototype.compile.call(1)',
  'parse("x = 1").map(f).compile().evaluate()',
  'subset(parse("1"), index("value"), "evaluate").compile()',
  'cos.syntax = "eval"',
  'unit("5 cm").units',
  'config({"__proto__": {polluted: 1}})',
  'typed("f(){}; return process; //", {"number": f})',
  'simplify(x) = x; simplify(process)',
  'f(x) = x^2',
  'f(x) = f(x); f(1)',
  'deletes = 1',
  'tool.x = 1',
  'tool[1] = 1',
  'x = import; x({})',
  'expression.docs',
  'expression.transform.map',
  'type.Unit',
  'this',
  'process.exit()',
  'require("fs")',
  'globalThis',
  '__proto__',
  'toString()',
  'valueOf',
  'hasOwnProperty("a")',
  'max.apply(1, 2)',
  'max.constructor(1)',
  '(max)(1, 2)',
  'max?.(1, 2)',
  'map([1, 2], f(x) = x)',
  'ones(3000, 3000)',
  '1:1e9',
  'zeros(1e9)',
  '5 cm',
  '"5" in ["5"]',
  'deletes in cm',
  'deletes to cm',
  'end',
  'a;b',
  'a\nb',
  `${'('.repeat(5000)}1`,
  `${'(1%'.repeat(20)}1${')'.repeat(20)}`,
  `1${'+1%'.repeat(100)}`,
  `${'-'.repeat(511)}1`,
  `1${'^1'.repeat(250)}`,
  `${'true?1:'.repeat(70)}1`,
];

describe('published escapes and costly inputs', () => {
  it.each(escapes)('refuses %s', (source) => {
    const compiled = compileExpression(source, names);
    const said = compiled.ok ? [] : compiled.problems.map(({ message }) => message);
    expect(said[0]).toMatch(
      /^unknown (name|function) "|not allowed|is a function: write|^expected an operator|more than 100|at most 512/,
    );
  });
});

describe('fuzz', () => {
  function check(source: string): boolean {
    const compiled = compileExpression(source, names);
    if (!compiled.ok) {
      expect(compiled.problems.length).toBeGreaterThan(0);
      for (const { at } of compiled.problems) expect(at >= 0 && at <= source.length).toBe(true);
      return false;
    }
    expect(forbidden(source, paths)).toEqual([]);
    try {
      const value = compiled.evaluate(values);
      expect(typeof value).toBe(compiled.type);
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionFault);
    }
    return true;
  }

  it('answers every text, and accepts no forbidden node', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', size: 'max', maxLength: 600 }), fc.string()), (source) => {
        check(source);
      }),
      { numRuns: 3000 },
    );
  });

  const symbols =
    '+ - * / ^ < <= > >= == != = ? : ( ) [ ] { } , ; . ! % & | ~ # " \' ?. ?? .* and or not in to mod xor';
  const words = [
    ...paths,
    ...functionNames,
    'constructor',
    'end',
    'null',
    'NaN',
    'x',
    'true',
    'false',
    '1',
    '.5',
    '1e9',
  ];
  const fragment = fc.constantFrom(...symbols.split(' '), ...words, ...words, '"a"', "'b'", '"5m"', '\n', ' ');

  it('answers every heap of fragments', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 40, size: 'max' }), fc.constantFrom('', ' '), (parts, between) => {
        check(parts.join(between));
      }),
      { numRuns: 10_000 },
    );
  });

  it('answers every mutation of a good expression', () => {
    const good = [
      'deletes > max(20, 3 * p99) and targets / deletes > 0.5',
      'if(quiet, session.age, baseline.deletes.p99) >= duration("5m")',
      'oneOf(tool, "a", "b") ? -deletes ^ 2 : clamp(p99, 0, 1)',
      'not (contains(tool, "read") or session.delegated) and min(deletes, 4) != 3',
    ];
    const pieces = (source: string) => source.split(/([\w.]+|"[^"]*"|[<>=!]=|[^\w\s])/).filter((piece) => piece.trim());
    const edit = fc.tuple(fc.nat(40), fc.constantFrom('replace', 'insert', 'remove'), fragment);
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 3 }), (source, edits) => {
        const mutated = pieces(source);
        for (const [at, how, put] of edits) {
          mutated.splice(at % mutated.length, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [put]));
        }
        if (check(mutated.join(' '))) accepted += 1;
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

/** The property that matters to a hardened runtime: neither the parser nor the closures turn text into code. */
it('compiles and evaluates under --disallow-code-generation-from-strings', () => {
  const source = resolve('src');
  const files = [
    ...readdirSync(join(source, 'engine/expression')).map((file) => `engine/expression/${file}`),
    'domain/duration.ts',
  ];
  const target = mkdtempSync(join(tmpdir(), 'firebreak-expression-'));
  try {
    mkdirSync(join(target, 'out/engine/expression'), { recursive: true });
    mkdirSync(join(target, 'out/domain'));
    symlinkSync(resolve('node_modules'), join(target, 'node_modules'));
    writeFileSync(join(target, 'package.json'), '{"type":"module"}');
    for (const file of files) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      });
      writeFileSync(join(target, 'out', file.replace(/\.ts$/, '.js')), outputText);
    }
    const script = `
      import { compileExpression } from './out/engine/expression/compile.js';
      let refused = false;
      try { new Function('return 1'); } catch { refused = true; }
      const names = { lookup: () => ({ slot: 0, type: 'number' }), all: () => [] };
      process.stdout.write(JSON.stringify([refused, compileExpression('max(a, 1) * 2', names).evaluate([21])]));`;
    writeFileSync(join(target, 'run.js'), script);
    const flags = ['--disallow-code-generation-from-strings', join(target, 'run.js')];
    const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([true, 42]);
  } finally {
    rmSync(target, { recursive: true });
  }
});

import { describe, expect, it } from 'vitest';
import { compileExpression, type Names } from '../../../src/engine/expression/compile.ts';
import { ExpressionFault } from '../../../src/engine/expression/fault.ts';
import { names, paths } from './declared.ts';

const values = [50, 40, 8, 12.5, 900, 'db.read', 'analyst', true, false];

function evaluate(source: string, of: ArrayLike<number | boolean | string> = values) {
  const compiled = compileExpression(source, names);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.evaluate(of);
}

function problems(source: string, of: Names = names) {
  const compiled = compileExpression(source, of);
  return compiled.ok ? [] : compiled.problems;
}

describe('what is allowed', () => {
  it.each<[string, number | boolean | string]>([
    ['1.5e3', 1500],
    ['.5', 0.5],
    ['"a\\"b"', 'a"b'],
    ["'it'", 'it'],
    ['true', true],
    ['deletes + targets - p99 * 2 / 4', 86],
    ['7 - 3 - 2', 2],
    ['8 / 4 / 2', 1],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['2 ^ -1', 0.5],
    ['--deletes', 50],
    ['(deletes - 40) * 2', 20],
    ['baseline.deletes.p99 + session.age', 912.5],
    ['deletes < 50', false],
    ['deletes <= 50', true],
    ['50 > deletes', false],
    ['50 >= deletes', true],
    ['deletes > targets', true],
    ['targets >= deletes', false],
    ['targets < deletes', true],
    ['deletes <= targets', false],
    ['deletes + 0 < targets + 0', false],
    ['p99 < deletes / targets + 6', false],
    ['0.9999999999999 >= 1', false],
    ['0.1 + 0.2 == 0.3', false],
    ['tool == "db.read"', true],
    ['tool != "db.read"', false],
    ['tool == "DB.READ"', false],
    ['session.role != tool', true],
    ['quiet == session.delegated', false],
    ['quiet and not session.delegated', true],
    ['quiet and session.delegated or true', true],
    ['not quiet == session.delegated', true],
    ['deletes > 20 ? "many" : "few"', 'many'],
    ['quiet ? (session.delegated ? 1 : 2) : 3', 2],
    ['session.delegated ? 1 : session.delegated ? 2 : 3', 3],
    ['quiet?.5:.7', 0.5],
    ['if(quiet, deletes, targets)', 50],
    ['if(session.delegated, "a", session.role)', 'analyst'],
    ['if(quiet, session.delegated, quiet)', false],
    ['min(deletes, targets, 45)', 40],
    ['max(20, 3 * p99)', 24],
    ['max(deletes)', 50],
    ['abs(targets - deletes)', 10],
    ['floor(-2.5)', -3],
    ['ceil(-2.5)', -2],
    ['round(2.5)', 3],
    ['round(-2.5)', -3],
    ['round(0.49999999999999994)', 0],
    ['sqrt(targets - 4)', 6],
    ['log(exp(1))', 1],
    ['log10(1000)', 3],
    ['clamp(deletes, 0, 10)', 10],
    ['clamp(deletes, 60, 70)', 60],
    ['clamp(deletes, 60, 10)', 10],
    ['contains(tool, "read")', true],
    ['contains(tool, "READ")', false],
    ['startsWith(tool, "db.")', true],
    ['oneOf(tool, "db.write", "db.read")', true],
    ['oneOf(deletes, 1, targets + 10)', true],
    ['oneOf(quiet, false)', false],
    ['duration("250ms")', 250],
    ['duration("1.5h")', 5_400_000],
    ['session.age < duration("15m")', true],
    ['\n deletes >\r\n\t20\n', true],
    ['deletes > max(20, 3 * p99) and targets / deletes > 0.5', true],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  it('says its type and the names that it uses, once each', () => {
    const compiled = compileExpression('p99 > 3 and baseline.deletes.p99 > p99', names);
    expect(compiled).toMatchObject({ ok: true, type: 'boolean', names: ['p99', 'baseline.deletes.p99'] });
  });

  it.each(['n'.repeat(512), `"${'s'.repeat(128)}"`, `${'('.repeat(20)}1${')'.repeat(20)}`, `${'1+'.repeat(49)}1`])(
    'reaches the limits: %s',
    (source) => {
      const any: Names = { lookup: () => ({ slot: 0, type: 'number' }), all: () => [] };
      expect(problems(source, any)).toEqual([]);
    },
  );
});

describe('what is refused, and where', () => {
  it.each<[string, ...[at: number, message: RegExp][]]>([
    ['', [0, /empty/]],
    [' \n', [0, /empty/]],
    ['delets > 3', [0, /unknown name "delets"; did you mean "deletes"\?/]],
    ['3 < Deletes', [4, /did you mean "deletes"/]],
    ['age > 3', [0, /did you mean "session.age"/]],
    ['zzzzzz > 3', [0, /unknown name "zzzzzz"; known: deletes, targets/]],
    ['baseline.p99 > 1', [0, /unknown name "baseline.p99"/]],
    ['constructor == 1', [0, /unknown name "constructor"/]],
    ['pi > 3', [0, /unknown name "pi"/]],
    ['null == 1', [0, /unknown name "null"/]],
    ['deletes > NaN', [10, /unknown name "NaN"/]],
    ['deletes > 1e999', [10, /not finite/]],
    ['deletes > maxx(1, 2)', [10, /unknown function "maxx"; did you mean "max"\?/]],
    ['deletes (3) > 1', [0, /"deletes" is a name, not a function/]],
    ['max > 1', [0, /"max" is a function: write max\(a, b, …\)/]],
    ['delets > foo(tol)', [0, /deletes/], [9, /foo/], [13, /tool/]],
    ['tol ==', [0, /tool/], [6, /syntax error: Unexpected end/]],
    ['(deletes > 3', [12, /syntax error: Parenthesis/]],
    ['deletes > 3)', [11, /syntax error/]],
    ['deletes, targets', [7, /syntax error/]],
    ['deletes > * 3', [10, /syntax error: Value expected/]],
    ['quiet not quiet', [6, /syntax error/]],
    ['1 < deletes < 3', [12, /cannot be chained/]],
    ['2 targets > 1', [2, /expected an operator before "targets"/]],
    ['(1)(2)', [3, /expected an operator/]],
    ['5 cm > 1', [2, /expected an operator/]],
    ['5cm > 1', [0, /malformed number "5cm"/]],
    ['deletes > 5m', [10, /duration\("5m"\)/]],
    ['0x10 + 1.2.3', [0, /malformed/], [7, /malformed/]],
    ['2. > 1', [0, /malformed/]],
    ['"a" in tool', [4, /oneOf/]],
    ['5 mod 3', [2, /modulo/]],
    ['quiet xor quiet', [6, /a != b/]],
    ['5 % 3', [2, /modulo/]],
    ['deletes + 5%', [11, /percent/]],
    ['+5', [0, /prefix "\+"/]],
    ['5!', [1, /not/]],
    ["targets'", [7, /no closing/]],
    ['deletes === 3', [8, /write ==/]],
    ['quiet && quiet || quiet', [6, /write and/], [15, /write or/]],
    ['!quiet', [0, /write not/]],
    ['deletes <> 3', [8, /write !=/]],
    ['deletes ** 2', [8, /write \^/]],
    ['deletes | 1', [8, /bit operators/]],
    ['deletes << 1', [8, /bit operators/]],
    ['~1', [0, /bit operators/]],
    ['deletes = 3', [8, /assignment/]],
    ['f(x) = 3', [0, /"f"/], [2, /"x"/], [5, /assignment/]],
    ['[1, 2]', [0, /matrix/], [5, /matrix/]],
    ['tool[1]', [4, /index/], [6, /index/]],
    ['{}', [0, /objects/], [1, /objects/]],
    ['1:3', [0, /range/]],
    ['quiet ? 1 : 2 : 3', [12, /range/]],
    // mathjs takes the second colon for a range: a conditional between ? and : needs brackets.
    ['quiet ? quiet ? 1 : 2 : 3', [25, /syntax error/]],
    ['deletes; targets', [7, /one expression/]],
    ['deletes\ntargets', [8, /expected an operator/]],
    ['deletes # all', [8, /comment/], [10, /unknown name/]],
    ['session?.age', [0, /unknown name/], [7, /write a dot/], [9, /expected|unknown/]],
    ['session . age', [0, /unknown name/], [8, /without spaces/], [10, /session.age/]],
    ['deletes ?? 1', [8, /has a value/]],
    ['"a".length', [3, /dotted name/], [4, /unknown name/]],
    ['größe > 1', [0, /"größe" cannot be a name/]],
    ['deletes – 1', [8, /unexpected character "–"/]],
    ['tool == "', [8, /no closing/]],
    [`tool == "${'x'.repeat(129)}"`, [8, /at most 128/]],
    ['tool == "\\x"', [9, /syntax error/]],
    ['deletes + "1"', [8, /"\+" takes numbers; its right side is a string/]],
    ['quiet + quiet', [6, /left side is a boolean/]],
    ['-tool', [0, /"-" takes a number/]],
    ['tool < "b"', [5, /takes numbers/]],
    ['deletes == "1"', [8, /one type/]],
    ['deletes and quiet', [8, /"and" takes booleans; its left side is a number/]],
    ['quiet or tool', [6, /right side is a string/]],
    ['not deletes > 3', [0, /binds tighter/]],
    ['deletes ? 1 : 2', [8, /condition of "\?" is a number/]],
    ['quiet ? 1 : "a"', [6, /one type/]],
    ['if(quiet, 1)', [0, /2 arguments; write if\(/]],
    ['if(1, 1, 2)', [0, /condition of if\(\)/]],
    ['log(8, 2)', [0, /log\(x\)/]],
    ['max()', [0, /0 arguments/]],
    ['max(1, quiet)', [0, /argument 2 is a boolean/]],
    ['contains(tool, 1)', [0, /argument 2 is a number/]],
    ['oneOf(tool)', [0, /1 arguments/]],
    ['oneOf(tool, "a", 1)', [0, /one type/]],
    ['duration("5")', [0, /duration\("5m"\)/]],
    ['duration(tool)', [0, /duration\("5m"\)/]],
    ['deletes > 1 / 0', [12, /not a finite number/]],
    ['sqrt(-1) > deletes', [0, /not a finite number/]],
    ['delets > 1 and tool > 2 and not 3', [0, /deletes/], [20, /takes numbers/], [28, /"not"/]],
    [`${'1+'.repeat(50)}1`, [100, /more than 100/]],
    [`${'('.repeat(21)}1${')'.repeat(21)}`, [20, /deeper than 20/]],
    [' '.repeat(513), [512, /513 characters/]],
  ])('%s', (source, ...expected) => {
    const found = problems(source);
    expect(found.map((problem) => problem.at)).toEqual(expected.map(([at]) => at));
    expected.forEach(([, message], index) => {
      expect(found[index]!.message).toMatch(message);
    });
  });

  it('refuses a declared name that mathjs reads as something else', () => {
    const any: Names = { lookup: () => ({ slot: 0, type: 'number' }), all: () => [] };
    for (const source of ['null', 'NaN', 'Infinity', 'undefined', 'true.x', 'in']) {
      expect(problems(source, any), source).not.toEqual([]);
    }
  });
});

describe('faults', () => {
  const faulting = (source: string, changed: Record<string, number | boolean | string>) => {
    const slots: (number | boolean | string)[] = [...values];
    for (const [path, value] of Object.entries(changed)) slots[paths.indexOf(path)] = value;
    return () => evaluate(source, slots);
  };

  it.each<[string, Record<string, number | boolean | string>]>([
    ['deletes / targets > 2', { targets: 0 }],
    ['deletes / targets > 2', { deletes: 0, targets: 0 }],
    ['deletes > 2', { deletes: Number.NaN }],
    ['2 < deletes', { deletes: Number.POSITIVE_INFINITY }],
    ['deletes > targets', { targets: Number.NEGATIVE_INFINITY }],
    ['deletes == targets', { targets: Number.NaN }],
    ['min(1 / targets, 5) > 2', { targets: 0 }],
    ['log(deletes) < 2', { deletes: 0 }],
    ['sqrt(deletes) < 2', { deletes: -1 }],
    ['exp(deletes) > 2', { deletes: 1000 }],
    ['deletes ^ targets > 2', { deletes: -8, targets: 0.5 }],
    ['deletes * targets > 2', { deletes: 1e300, targets: 1e300 }],
    ['deletes + targets > 2', { deletes: 1.7e308, targets: 1.7e308 }],
    ['deletes', { deletes: Number.NaN }],
  ])('%s with %o is not finite', (source, changed) => {
    expect(faulting(source, changed)).toThrow(expect.objectContaining({ reason: 'not-finite' }));
    expect(faulting(source, changed)).toThrow(ExpressionFault);
  });

  it.each(['deletes > 2', 'quiet and true', 'contains(tool, "a")', 'deletes == 2'])('%s of absent values', (source) => {
    expect(() => evaluate(source, [])).toThrow(expect.objectContaining({ reason: 'wrong-type' }));
  });

  it.each([
    ['targets > 0 and deletes / targets > 2', false],
    ['targets == 0 or deletes / targets > 2', true],
    ['targets == 0 ? true : deletes / targets > 2', true],
    ['if(targets > 0, deletes / targets > 2, false)', false],
    ['oneOf(targets, 0, deletes / targets)', true],
  ])('%s does not fault where it does not look', (source, expected) => {
    expect(faulting(source, { targets: 0 })()).toBe(expected);
  });
});

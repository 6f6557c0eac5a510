import fc from 'fast-check';
import { all, create } from 'mathjs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/engine/expression/compile.ts';
import { ExpressionFault } from '../../src/engine/expression/fault.ts';
import { names, paths } from '../engine/expression/declared.ts';
import { runsOf } from './runs.ts';

/**
 * The oracle is mathjs' own evaluation. What is documented to differ is replaced in it:
 * tolerant comparison (a relative tolerance below one bit, and tolerant rounding), `==` of strings,
 * and numbers that are not finite, which mathjs computes with and Firebreak faults on.
 */
const math = create({ ...all }, { relTol: 1e-17, absTol: 0, predictable: true });

class NotFinite extends Error {}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new NotFinite();
  return value;
}

const guarded = ['add', 'subtract', 'multiply', 'divide', 'sqrt', 'log', 'log10', 'exp'] as const;
const originals = math as unknown as Record<string, (...args: number[]) => number>;
math.import(
  {
    ...Object.fromEntries(
      guarded.map((name) => {
        const original = originals[name]!;
        return [name, (...args: number[]) => finite(original(...args))];
      }),
    ),
    // mathjs takes a real root where the exponent is nearly a fraction with an odd denominator: (-8) ^ (1 / 3) is -2.
    pow: (x: number, y: number) => finite(x ** y),
    equal: (a: unknown, b: unknown) => a === b,
    unequal: (a: unknown, b: unknown) => a !== b,
    floor: Math.floor,
    ceil: Math.ceil,
    // Number.prototype.toFixed takes halves away from zero; mathjs rounds with the like of it.
    round: (x: number) => Number(x.toFixed(0)),
    clamp: (x: number, lowest: number, highest: number) => Math.min(highest, Math.max(lowest, x)),
    contains: (text: string, part: string) => text.includes(part),
    startsWith: (text: string, part: string) => text.startsWith(part),
    duration: (text: string) => Number.parseFloat(text) * { s: 1000, m: 60_000, h: 3_600_000 }[text.at(-1) as 's']!,
  },
  { override: true },
);

type Slots = (number | boolean | string)[];

function oracle(source: string, slots: Slots): number | boolean | string | 'fault' {
  const scope = {};
  paths.forEach((path, slot) => {
    const keys = path.split('.');
    const last = keys.pop()!;
    let owner: Record<string, unknown> = scope;
    for (const key of keys) {
      owner[key] ??= {};
      owner = owner[key] as Record<string, unknown>;
    }
    const value = slots[slot]!;
    Object.defineProperty(owner, last, {
      enumerable: true,
      get: () => (typeof value === 'number' ? finite(value) : value),
    });
  });
  try {
    return math.evaluate(source, scope);
  } catch (error) {
    if (error instanceof NotFinite) return 'fault';
    throw error;
  }
}

function ours(source: string, slots: Slots): number | boolean | string | 'fault' | 'refused' {
  const compiled = compileExpression(source, names);
  if (!compiled.ok) {
    // Long ones reach a limit, and a constant part that is not finite is refused at load.
    const harmless = /more than 100|at most 512|deeper than 20|not a finite number/;
    const unexpected = compiled.problems.filter((problem) => !harmless.test(problem.message));
    expect(unexpected, source).toEqual([]);
    return 'refused';
  }
  try {
    return compiled.evaluate(slots);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionFault);
    return 'fault';
  }
}

/** The same expression in both languages: `if` and `oneOf` are lazy with us, so mathjs gets them as `?:` and `or`. */
interface Pair {
  ours: string;
  oracle: string;
}
const same = (text: string): Pair => ({ ours: text, oracle: text });
const join = (parts: Pair[], weave: (texts: string[]) => string): Pair => ({
  ours: weave(parts.map((part) => part.ours)),
  oracle: weave(parts.map((part) => part.oracle)),
});

const numberText = fc.oneof(
  fc.nat(20).map(String),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map(String),
  fc.constantFrom('0', '.5', '2.5', '1e308', '1e-300', 'duration("5m")', 'duration("1.5h")'),
);
const numberName = fc.constantFrom('deletes', 'targets', 'p99', 'baseline.deletes.p99', 'session.age');
const stringText = fc.oneof(
  fc.constantFrom('tool', 'session.role'),
  fc.constantFrom('"db.read"', "'db'", '""', '"a\\"b"', '"e"'),
);
const booleanText = fc.constantFrom('quiet', 'session.delegated', 'true', 'false');

// Weaving with brackets only where precedence asks for them: a wrong precedence must not hide behind brackets.
const { comparand, truth } = fc.letrec<Record<'atom' | 'sum' | 'comparand' | 'text' | 'test' | 'truth', Pair>>(
  (tie) => {
    const n = tie('comparand');
    const call = (name: string, ...args: fc.Arbitrary<Pair>[]) =>
      fc.tuple(...args).map((parts) => join(parts, (texts) => `${name}(${texts.join(', ')})`));
    const chain = (of: fc.Arbitrary<Pair>, operators: string[], most: number) =>
      fc
        .tuple(of, fc.array(fc.tuple(fc.constantFrom(...operators), of), { maxLength: most, size: 'max' }))
        .map(([first, rest]) =>
          join([first, ...rest.map(([, part]) => part)], ([head, ...tail]) =>
            tail.reduce((text, part, index) => `${text} ${rest[index]![0]} ${part}`, head!),
          ),
        );
    const conditional = (of: fc.Arbitrary<Pair>) =>
      fc.tuple(fc.boolean(), tie('truth'), of, of).map(([asFunction, ...parts]) => {
        const ternary = join(parts, ([c, a, b]) => `((${c}) ? (${a}) : (${b}))`);
        const called = join(parts, ([c, a, b]) => `if(${c}, ${a}, ${b})`);
        return { ours: asFunction ? called.ours : ternary.ours, oracle: ternary.oracle };
      });
    const oneOf = (of: fc.Arbitrary<Pair>) =>
      fc.array(of, { minLength: 2, maxLength: 4 }).map((parts) => ({
        ours: `oneOf(${parts.map((part) => part.ours).join(', ')})`,
        oracle: `(${parts
          .slice(1)
          .map((part) => `(${parts[0]!.oracle}) == (${part.oracle})`)
          .join(' or ')})`,
      }));
    const compared = (of: fc.Arbitrary<Pair>, operators: string[]) =>
      fc
        .tuple(of, fc.constantFrom(...operators), of)
        .map(([a, operator, b]) => join([a, b], (t) => t.join(` ${operator} `)));

    return {
      atom: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'expression' },
        numberName.map(same),
        numberText.map(same),
        n.map((part) => join([part], ([text]) => `(${text})`)),
        call('abs', n),
        call('floor', n),
        call('ceil', n),
        call('round', n),
        call('sqrt', n),
        call('log', n),
        call('log10', n),
        call('exp', n),
        call('min', n, n),
        call('max', n, n, n),
        call('clamp', n, n, n),
        conditional(n),
      ),
      sum: chain(
        fc
          .tuple(
            fc.constantFrom('', '', '-'),
            fc.oneof({ weight: 4, arbitrary: tie('atom') }, chain(tie('atom'), ['^'], 1)),
          )
          .map(([sign, part]) => join([part], ([text]) => `${sign}${text}`)),
        ['*', '/'],
        2,
      ),
      comparand: chain(tie('sum'), ['+', '-'], 1),
      text: fc.oneof({ maxDepth: 3, depthIdentifier: 'expression' }, stringText.map(same), conditional(tie('text'))),
      test: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'expression' },
        booleanText.map(same),
        compared(n, ['<', '<=', '>', '>=', '==', '!=']),
        compared(tie('text'), ['==', '!=']),
        call('contains', tie('text'), tie('text')),
        call('startsWith', tie('text'), tie('text')),
        oneOf(n),
        oneOf(tie('text')),
        tie('truth').map((part) => join([part], ([text]) => `not (${text})`)),
        conditional(tie('truth')),
      ),
      truth: chain(tie('test'), ['and', 'or'], 2),
    };
  },
);

const quantity = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100) },
  { weight: 3, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 0.5, -2.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY) },
);
const slots = fc.tuple(
  ...([quantity, quantity, quantity, quantity, quantity] as const),
  ...([
    fc.constantFrom('db.read', 'db', 'a"b', ''),
    fc.constantFrom('e', 'db.read'),
    fc.boolean(),
    fc.boolean(),
  ] as const),
);

describe('expressions against mathjs', () => {
  it.each([
    ['a boolean', truth],
    ['a number', comparand],
  ])('%s has the same value, or both fault', { timeout: 120_000 }, (_, arbitrary) => {
    const outcomes = { refused: 0, fault: 0, value: 0 };
    fc.assert(
      fc.property(arbitrary, slots, (pair, values) => {
        const found = ours(pair.ours, values);
        outcomes[found === 'refused' || found === 'fault' ? found : 'value'] += 1;
        if (found === 'refused') return;
        const expected = oracle(pair.oracle, values);
        // -0 equals 0 in every comparison that an expression can make.
        expect(found === 0 ? 0 : found, pair.ours).toBe(expected === 0 ? 0 : expected);
      }),
      runsOf({ numRuns: 12_000 }),
    );
    // Most of the large ones are refused for their size; enough must remain for the comparison to mean something.
    expect(outcomes.value).toBeGreaterThan(300);
    expect(outcomes.fault).toBeGreaterThan(100);
  });

  it('rounds as mathjs does with its own tolerance', () => {
    const mathjs = create({ ...all });
    for (const x of [0, 0.5, 1.5, 2.5, 3.49, 1e15 + 0.5, 1e21, 123456.5]) {
      for (const value of [x, -x]) {
        const slotsOf: Slots = [value];
        expect(ours('round(deletes)', slotsOf)).toBe(mathjs.round(value));
        expect(ours('floor(deletes)', slotsOf)).toBe(mathjs.floor(value));
        expect(ours('ceil(deletes)', slotsOf)).toBe(mathjs.ceil(value));
      }
    }
  });
});

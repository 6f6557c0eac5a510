import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readRuleFile } from '../../src/app/rule-file.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/rule.ts';
import { compileExpression } from '../../src/engine/expression/compile.ts';
import { compilePolicy } from '../../src/engine/plan/policy.ts';
import { names, paths } from '../engine/expression/declared.ts';
import { forbidden } from '../engine/expression/forbidden.ts';
import { runsOf } from '../properties/runs.ts';
import { expressionInput, ruleInput } from './rule-inputs.ts';

/** Of one input: the parser needs about 110 for 1200 maps in a row, each a mistake. Only in the long run: a machine is left to it. */
const CPU_MS_MAX = 250;
/** Of a whole test: so far above what it takes that only an endless loop reaches it. */
const HANG_MS = 3_600_000;
const timed = process.env['FIREBREAK_RANDOM_RUNS'] !== undefined;

function cpuMsOf(read: () => void): number {
  const before = process.cpuUsage();
  read();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** A collection of garbage or of code may fall into one call, not into each of three. */
function withinTime(read: () => void): void {
  let leastMs = cpuMsOf(read);
  for (let again = 0; timed && again < 2 && leastMs > CPU_MS_MAX; again++) leastMs = Math.min(leastMs, cpuMsOf(read));
  if (timed) expect(leastMs).toBeLessThanOrEqual(CPU_MS_MAX);
}

it(
  'answers every rule file with rules or with mistakes at their places',
  () => {
    const seen = { rules: 0, refused: 0 };
    fc.assert(
      fc.property(ruleInput, (source) => {
        withinTime(() => {
          const { rules, diagnostics } = readRuleFile('x.yaml', source);
          const lines = (typeof source === 'string' ? source : Buffer.from(source).toString()).split('\n').length;
          for (const { line, col, message } of diagnostics) {
            expect(line >= 1 && line <= lines && col >= 1 && message.length > 0).toBe(true);
          }
          for (const { rule } of rules) {
            for (const condition of Object.values(rule.when)) expect(['string', 'boolean']).toContain(typeof condition);
            // A rule that the loader accepts is one that the engine can be built of.
            compilePolicy('hash', { format: 1, settings: { ...DEFAULT_SETTINGS }, rules: [rule] });
          }
          seen[rules.length > 0 ? 'rules' : 'refused']++;
        });
      }),
      runsOf({ numRuns: 1000 }),
    );
    const usable = seen.rules / (seen.rules + seen.refused);
    expect(usable > 0.02 && usable < 0.9).toBe(true);
  },
  HANG_MS,
);

it(
  'answers every expression, and accepts nothing outside the language',
  () => {
    fc.assert(
      fc.property(expressionInput, (source) => {
        withinTime(() => {
          const compiled = compileExpression(source, names);
          if (compiled.ok) expect(forbidden(source, paths)).toEqual([]);
          else {
            expect(compiled.problems.length).toBeGreaterThan(0);
            for (const { at } of compiled.problems) expect(at >= 0 && at <= source.length).toBe(true);
          }
        });
      }),
      runsOf({ numRuns: 9000 }),
    );
  },
  HANG_MS,
);

import type { Command } from 'commander';
import { diagnosticLine, loadRules } from '../app/rule-folder.ts';
import { type LocatedTest, loadTests } from '../app/rule-test-files.ts';
import { type Moment, runRuleTest, type TestOutcome } from '../app/rule-tests.ts';
import { formatDuration } from '../domain/duration.ts';
import { CONDITIONS } from '../domain/level.ts';
import type { Rule } from '../domain/rule.ts';
import { counted } from './check.ts';
import { terminal } from './terminal.ts';

export function registerTest(program: Command): void {
  program
    .command('test')
    .description('run the tests of rules: those inside the rule files and the *.test.yaml beside them')
    .argument('[path...]', 'folders or files', ['rules'])
    .addHelpText('after', '\nExit code: 0 when every test holds, 1 otherwise.')
    .action(async (paths: string[]) => {
      const { text, ok } = await test(paths);
      process.stdout.write(text);
      process.exitCode = ok ? 0 : 1;
    });
}

/** What `firebreak test` says about the paths. */
export async function test(paths: readonly string[]): Promise<{ text: string; ok: boolean }> {
  const folder = await loadRules(paths);
  const { tests, diagnostics } = await loadTests(paths, folder.rules);
  const errors = [...folder.diagnostics, ...diagnostics].filter(({ severity }) => severity === 'error');
  const rules = new Map(folder.rules.map(({ rule }) => [rule.id, rule]));
  const lines = errors.map((error) => terminal().red(diagnosticLine(error)));
  let failed = 0;
  for (const located of tests) {
    const rule = rules.get(located.rule);
    if (rule === undefined) continue;
    const outcome = runRuleTest(rule, folder.body.settings, located.test);
    if (outcome.failures.length === 0) lines.push(`${terminal().green('ok  ')}  ${rule.id}: ${located.test.name}`);
    else {
      failed++;
      lines.push(...failure(rule, located, outcome));
    }
  }
  const untested = folder.rules.filter(({ rule }) => tests.every((one) => one.rule !== rule.id));
  for (const { file, line, col, rule } of untested) {
    lines.push(terminal().yellow(`${file}:${line}:${col}: rule "${rule.id}" has no test`));
  }
  const ok = failed === 0 && errors.length === 0;
  const total = `${counted(tests.length, 'test')} of ${counted(rules.size, 'rule')}`;
  const verdict = failed > 0 ? `${failed} of ${total} failed` : `${total}: all hold`;
  lines.push(
    ok
      ? terminal().green(verdict)
      : terminal().red(errors.length > 0 ? `${verdict}; the rules have mistakes` : verdict),
  );
  return { text: `${lines.join('\n')}\n`, ok };
}

function failure(rule: Rule, { file, line, col, test }: LocatedTest, { failures, timeline }: TestOutcome): string[] {
  return [
    `${terminal().red('FAIL')}  ${rule.id}: ${test.name} (${file}:${line}:${col})`,
    ...failures.flatMap(({ expected, found }) => [`      expected: ${expected}`, `      found:    ${found}`]),
    ...CONDITIONS.flatMap((condition) =>
      rule.when[condition] === undefined ? [] : [`      ${condition.padEnd(5)} when ${rule.when[condition]}`],
    ),
    ...table(timeline, interesting(test, timeline)).map((row) => `      ${row}`),
  ];
}

const ROWS_MAX = 16;

/** The events at which something changes or was expected to, with the one before each; the first and the last. */
function interesting(test: LocatedTest['test'], timeline: readonly Moment[]): Set<number> {
  const numbers = new Set<number>([1, timeline.length]);
  for (const { number, level } of timeline) {
    if (level !== (timeline[number - 2]?.level ?? 'clear')) numbers.add(number - 1).add(number);
  }
  for (const { at } of test.expect) if (at !== undefined) numbers.add(at - 1).add(at);
  return new Set([...numbers].filter((number) => number >= 1 && number <= timeline.length).slice(0, ROWS_MAX));
}

function table(timeline: readonly Moment[], numbers: ReadonlySet<number>): string[] {
  const measures = Object.keys(timeline.at(-1)?.measures ?? {});
  const rows = timeline
    .filter(({ number }) => numbers.has(number))
    .map((moment) => [
      String(moment.number),
      formatDuration(moment.sinceStartMs),
      moment.level,
      ...measures.map((name) => String(Number((moment.measures[name] ?? 0).toFixed(2)))),
    ]);
  const all = [['event', 'after', 'level', ...measures], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

import { diagnosticLine, type RuleFolder, RulesRefused } from './rule-folder.ts';
import { judgedBy, runTests, type TestResult } from './test-run.ts';

/**
 * A folder of rules that is fit to judge: checked, and every test in it and beside it holds. Throws a RulesRefused with
 * all that is wrong.
 */
export async function loadPack(path: string): Promise<RuleFolder> {
  const { errors, folder, results } = await runTests([path]);
  if (errors.length > 0) throw new RulesRefused(`the rules have mistakes:\n${errors.map(diagnosticLine).join('\n')}`);
  const failed = results.flatMap(failuresOf);
  if (failed.length > 0) throw new RulesRefused(`tests of the rules fail:\n${failed.join('\n')}`);
  return folder;
}

function failuresOf({ located, outcome }: TestResult): string[] {
  const { file, line, col, test } = located;
  return outcome.failures.map(
    ({ expected, found }) =>
      `${file}:${line}:${col}: ${judgedBy(located)}: test "${test.name}": expected ${expected}; found: ${found}`,
  );
}

import type { PolicyBody } from '../domain/rule.ts';
import type { Diagnostic } from './rule-diagnostics.ts';
import { loadRules, type RuleFolder } from './rule-folder.ts';
import { type LocatedTest, loadTests } from './rule-test-files.ts';
import { policyOfOne, runTest, type TestOutcome } from './rule-tests.ts';

export interface TestResult {
  located: LocatedTest;
  /** The policy that judged. */
  body: PolicyBody;
  outcome: TestOutcome;
}

export interface TestRun {
  /** Mistakes in rules and tests. Of a rule with one, no test runs. */
  errors: Diagnostic[];
  folder: RuleFolder;
  results: TestResult[];
}

/** Loads the rules at the paths and runs all their tests. */
export async function runTests(paths: readonly string[]): Promise<TestRun> {
  const folder = await loadRules(paths);
  const loaded = await loadTests(paths, folder.rules);
  const errors = [...folder.diagnostics, ...loaded.diagnostics].filter(({ severity }) => severity === 'error');
  const results = loaded.tests.map((located): TestResult => {
    const policy = policyFor(located, folder.body);
    return { located, body: policy, outcome: runTest(policy, located.course, located.test.expect) };
  });
  return { errors, folder, results };
}

function policyFor({ rule, rules }: LocatedTest, body: PolicyBody): PolicyBody {
  const ids = rule === undefined ? rules : [rule];
  const judging = ids === undefined ? body.rules : body.rules.filter(({ id }) => ids.includes(id));
  return rule === undefined ? { ...body, rules: judging } : policyOfOne(judging[0]!, body.settings);
}

/** Who judges, as the author named it. */
export function judgedBy({ rule, rules }: LocatedTest): string {
  return rule ?? rules?.join(' + ') ?? 'all rules';
}

import { baselineSignatureFault, LEARNER, learnersIn } from '../formats/baseline-signature.ts';
import type { Keyring } from '../formats/signature.ts';
import { diagnosticLine, type RuleFolder, RulesRefused } from './rule-folder.ts';
import { judgedBy, runTests, type TestResult } from './test-run.ts';

/**
 * A folder of rules that is fit to judge: checked, and every test in it and beside it holds. Throws a RulesRefused with
 * all that is wrong. With a keyring its baseline, where it has one, must be signed by a learner of that keyring.
 */
export async function loadPack(path: string, signers?: Keyring): Promise<RuleFolder> {
  const { errors, folder, results } = await runTests([path]);
  if (errors.length > 0) throw new RulesRefused(`the rules have mistakes:\n${errors.map(diagnosticLine).join('\n')}`);
  if (signers !== undefined) refuseUnsigned(folder, signers);
  const failed = results.flatMap(failuresOf);
  if (failed.length > 0) throw new RulesRefused(`tests of the rules fail:\n${failed.join('\n')}`);
  return folder;
}

function refuseUnsigned({ learned }: RuleFolder, signers: Keyring): void {
  const fault = learned && baselineSignatureFault(learned.document, signers);
  if (fault === undefined) return;
  const kids = learnersIn(signers);
  const whose =
    kids.length === 0 ? `, and no key with the role ${LEARNER} is trusted here` : ` by ${kids.join(' or ')}`;
  throw new RulesRefused(
    `${learned!.file}: ${fault}; allowed: a baseline signed${whose} (keys.signedBaselines); see firebreak baseline sign`,
  );
}

function failuresOf({ located, outcome }: TestResult): string[] {
  const { file, line, col, test } = located;
  return outcome.failures.map(
    ({ expected, found }) =>
      `${file}:${line}:${col}: ${judgedBy(located)}: test "${test.name}": expected ${expected}; found: ${found}`,
  );
}

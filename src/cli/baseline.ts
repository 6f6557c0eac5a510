import type { Command } from 'commander';
import { BASELINE_FILE, baselineAt } from '../app/baseline-file.ts';
import { diffBaselines } from '../app/learn/baseline-diff.ts';
import type { Baseline } from '../domain/baseline.ts';
import { baselineDiffText } from './baseline-text.ts';

export function registerBaseline(program: Command): void {
  const baseline = program.command('baseline').description('look at what was learned');
  baseline
    .command('diff')
    .description('what two baselines say differently: rates, thresholds, what is known')
    .argument('<before>', `folder of rules with a ${BASELINE_FILE}, such as the policy in force`)
    .argument('<after>', 'the same of the new one')
    .option('--json', 'one JSON document with everything, also what the text cuts')
    .addHelpText(
      'after',
      '\nWhich sessions would end differently, a backtest of both tells:' +
        '\n  firebreak backtest november.ndjson.gz --rules AFTER --against BEFORE' +
        '\nExit code: 0 when both could be read.',
    )
    .action(async (before: string, after: string, { json }: { json?: true }) => {
      const diff = diffBaselines(await read(before), await read(after));
      process.stdout.write(json ? `${JSON.stringify(diff, null, 2)}\n` : baselineDiffText(diff));
    });
}

/** A path to the file itself is as good as its folder. */
async function read(path: string): Promise<Baseline> {
  const baseline = await baselineAt(path);
  if (baseline !== undefined) return baseline;
  throw new Error(`no ${BASELINE_FILE} in ${path}; firebreak learn writes one`);
}

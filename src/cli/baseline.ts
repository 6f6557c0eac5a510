import type { Command } from 'commander';
import { BASELINE_FILE, type BaselineFile, baselineAt } from '../app/baseline-file.ts';
import { loadKeyFile } from '../app/keys.ts';
import { diffBaselines } from '../app/learn/baseline-diff.ts';
import { writeBaseline } from '../app/learn/hand-over.ts';
import type { BaselineDocument } from '../domain/baseline.ts';
import { baselineSignatureFault } from '../formats/baseline-signature.ts';
import type { Keyring } from '../formats/signature.ts';
import { baselineSigner } from './baseline-signer.ts';
import { baselineDiffText, baselineText, type Signer, signatureText } from './baseline-text.ts';

const KEYS_OPTION = ['--keys <file>', 'key file that says whose signatures count'] as const;

export function registerBaseline(program: Command): void {
  const baseline = program.command('baseline').description('look at what was learned, and sign it');
  baseline
    .command('diff')
    .description('what two baselines say differently: rates, thresholds, what is known')
    .argument('<before>', `folder of rules with a ${BASELINE_FILE}, such as the policy in force`)
    .argument('<after>', 'the same of the new one')
    .option('--json', 'one JSON document with everything, also what the text cuts')
    .option(...KEYS_OPTION)
    .addHelpText(
      'after',
      '\nWhich sessions would end differently, a backtest of both tells:' +
        '\n  firebreak backtest november.ndjson.gz --rules AFTER --against BEFORE' +
        '\nExit code: 0 when both could be read.',
    )
    .action(async (before: string, after: string, { json, keys }: { json?: true; keys?: string }) => {
      const keyring = await keyringAt(keys);
      const [old, now] = [await read(before), await read(after)];
      const signed = { before: signerOf(old, keyring), after: signerOf(now, keyring) };
      const diff = diffBaselines(old.baseline, now.baseline);
      const text = [`signed before: ${signatureText(signed.before)}`, `signed after:  ${signatureText(signed.after)}`];
      print(json ? JSON.stringify({ signed, ...diff }, null, 2) : `${text.join('\n')}\n${baselineDiffText(diff)}`);
    });
  baseline
    .command('show')
    .description('what one says: who signed it, what it rests on, thresholds, what is usual')
    .argument('<baseline>', `folder of rules with a ${BASELINE_FILE}, or such a file`)
    .option(...KEYS_OPTION)
    .addHelpText('after', '\nExit code: 0; with --keys 1 when no key of that file vouches for it.')
    .action(async (path: string, { keys }: { keys?: string }) => {
      const found = await read(path);
      const signer = signerOf(found, await keyringAt(keys));
      print(baselineText(found, signer));
      if (typeof signer.verdict === 'object') process.exitCode = 1;
    });
  baseline
    .command('sign')
    .description('vouch for a baseline, once you have looked at it: writes the signature into its file')
    .argument('<baseline>', `folder of rules with a ${BASELINE_FILE}, or such a file`)
    .requiredOption('--keys <file>', 'key file whose key has the role learner')
    .addHelpText(
      'after',
      '\nA signature that is there already is replaced. Where keys.signedBaselines is set, nothing unsigned is activated.' +
        '\n\nExample:\n  firebreak baseline sign my-rules --keys learner.keys.json',
    )
    .action(async (path: string, { keys }: { keys: string }) => {
      const sign = await baselineSigner(keys);
      const { file, document } = await read(path);
      // The file as it is, not as it is understood: nothing else of it changes.
      const signed = sign(document as BaselineDocument);
      await writeBaseline(file, signed);
      print(`${file}: ${signatureText({ signature: signed.signature, verdict: 'good' })}`);
    });
}

async function keyringAt(file: string | undefined): Promise<Keyring | undefined> {
  return file === undefined ? undefined : (await loadKeyFile(file)).keyring;
}

function signerOf({ document }: BaselineFile, keyring: Keyring | undefined): Signer {
  const { signature } = document;
  if (keyring === undefined) return { signature, verdict: 'unchecked' };
  const fault = baselineSignatureFault(document, keyring);
  return { signature, verdict: fault === undefined ? 'good' : { fault } };
}

/** A path to the file itself is as good as its folder. */
async function read(path: string): Promise<BaselineFile> {
  const found = await baselineAt(path);
  if (found !== undefined) return found;
  throw new Error(`no ${BASELINE_FILE} in ${path}; firebreak learn writes one`);
}

function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

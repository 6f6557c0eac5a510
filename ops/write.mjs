// `npm run ops`: writes what deploy/ holds that is made from code, or the alert rules alone.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from '../test/simulation/build.mjs';

const { readOptions, refuse } = await import(build('test/command-line.ts', 'command-line'));

const USAGE = `npm run ops -- [--runbooks URL --rules FILE]
  writes what deploy/ holds that is made from code; with
  --runbooks  where you serve deploy/runbooks: an http or https address with a / at its end, and
  --rules     the alert rules alone, to that file, their runbook_url at that address`;

const { runbooks, rules } = readOptions(USAGE, { runbooks: { type: 'string' }, rules: { type: 'string' } });
if ((runbooks === undefined) !== (rules === undefined)) refuse('--runbooks and --rules belong together');
if (runbooks !== undefined && !/^https?:\/\/.+\/$/.test(runbooks)) {
  refuse(`--runbooks: found "${runbooks}"; allowed: an http or https address with a / at its end`);
}

const { alertRules, generatedFiles } = await import(build('ops/generated.ts', 'ops'));
for (const [path, text] of rules === undefined ? generatedFiles() : [[rules, alertRules(runbooks)]]) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}

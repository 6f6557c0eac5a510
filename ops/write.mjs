// `npm run ops`: writes what deploy/ holds that is made from code. With `-- --runbooks URL --rules FILE` it writes the alert
// rules alone, to FILE, and their runbook_url leads to where you serve deploy/runbooks.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../test/simulation/build.mjs';

const { runbooks, rules } = parseArgs({ options: { runbooks: { type: 'string' }, rules: { type: 'string' } } }).values;
if ((runbooks === undefined) !== (rules === undefined)) fail('--runbooks and --rules belong together');
if (runbooks !== undefined && !/^https?:\/\/.+\/$/.test(runbooks)) {
  fail(`--runbooks: found "${runbooks}"; allowed: an http or https address with a / at its end`);
}

const { alertRules, generatedFiles } = await import(build('ops/generated.ts', 'ops'));
for (const [path, text] of rules === undefined ? generatedFiles() : [[rules, alertRules(runbooks)]]) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}

function fail(why) {
  console.error(`npm run ops: ${why}`);
  process.exit(2);
}

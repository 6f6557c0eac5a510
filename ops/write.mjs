// `npm run ops`: writes what deploy/ holds that is made from code, or the alert rules alone.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from '../test/simulation/build.mjs';

const { readOptions, refuse } = await import(build('test/command-line.ts', 'command-line'));

const USAGE = `npm run ops -- [--runbooks URL --rules FILE [--job NAME]]
  writes what deploy/ holds that is made from code; with
  --runbooks  where you serve deploy/runbooks: an http or https address with a / at its end, and
  --rules     the alert rules alone, to that file, their runbook_url at that address
  --job       of the scrape configuration, where it is another than firebreak`;

const text = { type: 'string' };
const { runbooks, rules, job } = readOptions(USAGE, { runbooks: text, rules: text, job: text });
if ((runbooks === undefined) !== (rules === undefined)) refuse('--runbooks and --rules belong together');
if (job !== undefined && rules === undefined) refuse('--job goes with --runbooks and --rules');
if (job !== undefined && !/^[\w.-]+$/.test(job))
  refuse(`--job: found "${job}"; allowed: letters, digits, _, - and dots`);
if (runbooks !== undefined && !/^https?:\/\/.+\/$/.test(runbooks)) {
  refuse(`--runbooks: found "${runbooks}"; allowed: an http or https address with a / at its end`);
}

const { alertRules, generatedFiles } = await import(build('ops/generated.ts', 'ops'));
for (const [path, content] of rules === undefined ? generatedFiles() : [[rules, alertRules(runbooks, job)]]) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  console.log(path);
}

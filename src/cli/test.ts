import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import { diagnosticLine, expiryWarnings } from '../app/rule-folder.ts';
import { judgedBy, runTests, type TestResult, type TestRun } from '../app/test-run.ts';
import { counted } from './check.ts';
import { terminal } from './terminal.ts';
import { junitXml } from './test-junit.ts';
import { failureLines } from './test-timeline.ts';
import { watchPaths } from './test-watch.ts';

interface Options {
  junit?: string;
  watch?: true;
}

export function registerTest(program: Command): void {
  program
    .command('test')
    .description('run the tests of rules: those inside the rule files and the *.test.yaml beside them')
    .argument('[path...]', 'folders or files', ['rules'])
    .option('--junit <file>', 'write the result there too, as JUnit XML for a CI server')
    .option('--watch', 'run again when a file changes, and say what failed or changed, until Ctrl-C')
    .addHelpText('after', '\nExit code: 0 when every test holds, 1 otherwise. --watch ends with 0.')
    .action(async (paths: string[], { junit, watch }: Options) => {
      if (watch) await watchTests(paths, junit);
      else process.exitCode = passed(await testOnce(paths, junit, undefined)) ? 0 : 1;
    });
}

/** What `firebreak test` says about the paths. */
export async function test(paths: readonly string[]): Promise<{ text: string; ok: boolean }> {
  const run = await runTests(paths);
  return { text: runText(run, undefined), ok: passed(run) };
}

async function testOnce(paths: readonly string[], junit: string | undefined, before: TestRun | undefined) {
  const run = await runTests(paths);
  process.stdout.write(runText(run, before));
  if (junit !== undefined) await writeFile(junit, junitXml(run));
  return run;
}

async function watchTests(paths: readonly string[], junit: string | undefined): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  let before: TestRun | undefined;
  await watchPaths(
    paths,
    junit,
    async () => {
      before = await testOnce(paths, junit, before);
      process.stdout.write('waiting for a change; Ctrl-C ends\n');
    },
    stop.signal,
  );
  process.off('SIGINT', end).off('SIGTERM', end);
}

/** With a run before: only what fails, and what does not fail any more or is new. */
function runText({ errors, folder, results }: TestRun, before: TestRun | undefined): string {
  const held = new Set(before?.results.filter(holds).map(nameOf));
  const lines = errors.map((error) => terminal().red(diagnosticLine(error)));
  for (const result of results) {
    if (!holds(result)) {
      const { file, line, col } = result.located;
      lines.push(`${terminal().red('FAIL')}  ${nameOf(result)} (${file}:${line}:${col})`);
      lines.push(...failureLines(result).map((one) => `      ${one}`));
    } else if (!held.has(nameOf(result))) lines.push(`${terminal().green('ok  ')}  ${nameOf(result)}`);
  }
  const tested = new Set(results.map(({ located }) => located.rule));
  for (const { file, line, col, rule } of before === undefined ? folder.rules : []) {
    if (!tested.has(rule.id)) lines.push(terminal().yellow(`${file}:${line}:${col}: rule "${rule.id}" has no test`));
  }
  for (const one of expiryWarnings(folder, systemClock.nowMs())) lines.push(terminal().yellow(diagnosticLine(one)));
  const failed = results.filter((result) => !holds(result)).length;
  const total = `${counted(results.length, 'test')} of ${counted(folder.rules.length, 'rule')}`;
  const verdict = failed > 0 ? `${failed} of ${total} failed` : `${total}: all hold`;
  if (failed === 0 && errors.length === 0) lines.push(terminal().green(verdict));
  else lines.push(terminal().red(errors.length > 0 ? `${verdict}; the rules have mistakes` : verdict));
  return `${lines.join('\n')}\n`;
}

function passed({ errors, results }: TestRun): boolean {
  return errors.length === 0 && results.every(holds);
}

function holds({ outcome }: TestResult): boolean {
  return outcome.failures.length === 0;
}

function nameOf({ located }: TestResult): string {
  return `${judgedBy(located)}: ${located.test.name}`;
}

import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import type { Diagnostic } from '../app/rule-diagnostics.ts';
import { diagnosticLine, expiryWarnings, loadRules, type RuleFolder } from '../app/rule-folder.ts';
import { loadTests } from '../app/rule-test-files.ts';
import { githubAnnotation, sarifLog } from './check-formats.ts';
import { packageVersion } from './shipped.ts';
import { terminal } from './terminal.ts';

const FORMATS = ['text', 'json', 'sarif', 'github'] as const;
type Format = (typeof FORMATS)[number];

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('check rule files: every mistake at once, with file, line and column')
    .argument('[path...]', 'folders or files', ['rules'])
    .option('--format <format>', FORMATS.join(', '), oneOf, 'text')
    .addHelpText(
      'after',
      [
        '',
        'Formats:',
        '  text     file:line:col: error: message, and a summary',
        '  json     { ok, files, diagnostics }',
        '  sarif    SARIF 2.1.0, for code scanning; run it from the root of the repository',
        '  github   annotations of a GitHub Actions job',
        '',
        'Exit code: 0 without an error (warnings are allowed), 1 with one.',
      ].join('\n'),
    )
    .action(async (paths: string[], { format }: { format: Format }) => {
      const { text, ok } = await check(paths, format);
      process.stdout.write(text);
      process.exitCode = ok ? 0 : 1;
    });
}

function oneOf(value: string): Format {
  const format = FORMATS.find((one) => one === value);
  if (format === undefined) throw new InvalidArgumentError(`Allowed: ${FORMATS.join(', ')}.`);
  return format;
}

/** What `firebreak check` says about the paths. */
export async function check(paths: readonly string[], format: Format): Promise<{ text: string; ok: boolean }> {
  const folder = await loadRules(paths);
  const tests = await loadTests(paths, folder.rules);
  const expired = expiryWarnings(folder, systemClock.nowMs());
  const diagnostics = [...folder.diagnostics, ...tests.diagnostics, ...expired];
  const ok = diagnostics.every(({ severity }) => severity !== 'error');
  switch (format) {
    case 'json':
      return { ok, text: `${JSON.stringify({ ok, files: folder.files, diagnostics }, null, 2)}\n` };
    case 'sarif':
      return { ok, text: `${sarifLog(diagnostics, packageVersion())}\n` };
    case 'github':
      return { ok, text: `${[...diagnostics.map(githubAnnotation), summary(folder, diagnostics)].join('\n')}\n` };
    case 'text':
      return { ok, text: `${[...diagnostics.map(shown), summary(folder, diagnostics)].join('\n')}\n` };
    default:
      return format satisfies never;
  }
}

function shown(diagnostic: Diagnostic): string {
  const line = diagnosticLine(diagnostic);
  return diagnostic.severity === 'error' ? terminal().red(line) : terminal().yellow(line);
}

function summary({ rules, files }: RuleFolder, diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const checked = `${counted(rules.length, 'rule')} in ${counted(files.length, 'file')}`;
  const doubts = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  if (errors === 0) return terminal().green(`${checked}: no mistakes${doubts}`);
  return terminal().red(`${counted(errors, 'mistake')}${doubts}; ${checked} can be used`);
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

import { isAbsolute, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Diagnostic, namedMessage } from '../app/rule-diagnostics.ts';

const SARIF_SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** What the reader of a SARIF file is told about the two kinds of diagnostic. */
const SARIF_RULES = {
  error: { id: 'firebreak/mistake', text: 'A rule file has a mistake: the policy cannot be used.' },
  warning: { id: 'firebreak/doubt', text: 'A rule is allowed and looks like a mistake.' },
} as const satisfies Record<Diagnostic['severity'], { id: string; text: string }>;
const SEVERITIES = ['error', 'warning'] as const satisfies Diagnostic['severity'][];

/** One SARIF 2.1.0 log with one run, which code hosts show beside the lines. */
export function sarifLog(diagnostics: readonly Diagnostic[], version: string): string {
  const driver = {
    name: 'firebreak',
    version,
    rules: SEVERITIES.map((severity) => ({
      id: SARIF_RULES[severity].id,
      shortDescription: { text: SARIF_RULES[severity].text },
      defaultConfiguration: { level: severity },
    })),
  };
  const results = diagnostics.map((one) => ({
    ruleId: SARIF_RULES[one.severity].id,
    ruleIndex: SEVERITIES.indexOf(one.severity),
    level: one.severity,
    message: { text: namedMessage(one) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(one.file) },
          region: { startLine: one.line, startColumn: one.col },
        },
      },
    ],
  }));
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results };
  return JSON.stringify({ $schema: SARIF_SCHEMA, version: '2.1.0', runs: [run] }, null, 2);
}

/** A relative reference stays relative: it is resolved against the root of the repository. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file
    .split(sep)
    .filter((part) => part !== '.')
    .map(encodeURIComponent)
    .join('/');
}

/** A workflow command of GitHub Actions: an annotation at the line. */
export function githubAnnotation(diagnostic: Diagnostic): string {
  const { file, line, col, severity } = diagnostic;
  const place = `file=${property(file)},line=${line},col=${col},title=firebreak check`;
  return `::${severity} ${place}::${data(namedMessage(diagnostic))}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

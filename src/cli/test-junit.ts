import { diagnosticLine } from '../app/rule-folder.ts';
import { judgedBy, type TestRun } from '../app/test-run.ts';
import { failureLines } from './test-timeline.ts';

/**
 * The run as JUnit XML, in the form that CI servers read: one suite per file, a failure with its timeline as text, and
 * a mistake in a file as an error of a case named after its place.
 */
export function junitXml({ results, errors }: TestRun): string {
  const files = [...new Set([...results.map(({ located }) => located.file), ...errors.map(({ file }) => file)])];
  const failures = results.filter(({ outcome }) => outcome.failures.length > 0).length;
  const suites = files.map((file) => {
    const own = results.filter(({ located }) => located.file === file);
    const broken = errors.filter((error) => error.file === file);
    const failed = own.filter(({ outcome }) => outcome.failures.length > 0).length;
    const cases = [
      ...broken.map((error) =>
        element('testcase', { classname: error.rule ?? 'mistake', name: `line ${error.line}, column ${error.col}` }, [
          element('error', { message: error.message }, [escaped(diagnosticLine(error))]),
        ]),
      ),
      ...own.map((result) => {
        const { located, outcome } = result;
        const about = { classname: judgedBy(located), name: located.test.name, file, line: located.line };
        const [first] = outcome.failures;
        if (first === undefined) return element('testcase', about, []);
        const message = `expected: ${first.expected}; found: ${first.found}`;
        return element('testcase', about, [
          element('failure', { message }, [escaped(`\n${failureLines(result).join('\n')}\n`)]),
        ]);
      }),
    ];
    const counts = { tests: own.length + broken.length, failures: failed, errors: broken.length };
    return element('testsuite', { name: file, ...counts }, cases);
  });
  const counts = { tests: results.length + errors.length, failures, errors: errors.length };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'firebreak', ...counts }, suites)}\n`;
}

function element(name: string, attributes: Record<string, string | number>, content: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const start = `<${name}${written.join('')}`;
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('\n')}</${name}>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way at all to write most control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  const writable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '?');
  return writable.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}

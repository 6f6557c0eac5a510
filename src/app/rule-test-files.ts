import { readFile } from 'node:fs/promises';
import { type RuleTest, RuleTestFile } from '../domain/rule-test.ts';
import { hint } from '../engine/expression/names.ts';
import { eventsOf } from '../formats/event-generator.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import { readYaml, type TextPosition, type YamlDocument } from '../formats/yaml-documents.ts';
import { type Diagnostic, reporter, reportSchema } from './rule-diagnostics.ts';
import type { LocatedRule } from './rule-file.ts';
import { TEST_FILE, yamlFilesAt } from './rule-folder.ts';

/** A test that can be run: with the rule it belongs to and the place where it stands. */
export interface LocatedTest extends TextPosition {
  file: string;
  rule: string;
  test: RuleTest;
}

/** The tests inside the rules, then those of the `*.test.yaml` files at the paths. */
export async function loadTests(
  paths: readonly string[],
  rules: readonly LocatedRule[],
): Promise<{ tests: LocatedTest[]; diagnostics: Diagnostic[] }> {
  const inline = rules.flatMap(({ rule, file, locate }) =>
    rule.tests.map((test, index) => ({ file, ...locate({ path: ['tests', index] }), rule: rule.id, test })),
  );
  const files = (await Promise.all(paths.map(yamlFilesAt))).flat().filter((file) => TEST_FILE.test(file));
  const read = await Promise.all(
    [...new Set(files)].map(async (file) => readTestFile(file, await readFile(file, 'utf8'), rules)),
  );
  return {
    tests: [...inline, ...read.flatMap(({ tests }) => tests)],
    diagnostics: read.flatMap(({ diagnostics }) => diagnostics),
  };
}

export function readTestFile(
  file: string,
  text: string,
  rules: readonly LocatedRule[],
): { tests: LocatedTest[]; diagnostics: Diagnostic[] } {
  const { documents, problems } = readYaml(text);
  const diagnostics: Diagnostic[] = problems.map((problem) => ({ file, severity: 'error', ...problem }));
  const tests = documents.flatMap((document) => readDocument(file, document, rules, diagnostics));
  diagnostics.sort((a, b) => a.line - b.line || a.col - b.col);
  return { tests, diagnostics };
}

function readDocument(
  file: string,
  document: YamlDocument,
  rules: readonly LocatedRule[],
  diagnostics: Diagnostic[],
): LocatedTest[] {
  const report = reporter(file, document, diagnostics);
  const parsed = RuleTestFile.safeParse(document.value);
  if (!parsed.success) {
    reportSchema(schemaProblems(parsed.error, RuleTestFile, document.value), report);
    return [];
  }
  const { rule, tests } = parsed.data;
  const ids = rules.map((one) => one.rule.id);
  if (!ids.includes(rule)) {
    report({ path: ['rule'] }, `no usable rule "${rule}" among those that are checked${hint(rule, ids)}`);
  }
  return tests.flatMap((test, index) => {
    const problems = eventsOf(test).problems;
    reportSchema(problems, report, ['tests', index]);
    return problems.length > 0 ? [] : [{ file, ...document.locate({ path: ['tests', index] }), rule, test }];
  });
}

import { type RuleTest, RuleTestFile } from '../domain/rule-test.ts';
import { hint } from '../engine/expression/names.ts';
import { eventsOf } from '../formats/event-generator.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import { readYaml, type TextPosition, type YamlDocument } from '../formats/yaml-documents.ts';
import { type Diagnostic, type Report, reporter, reportSchema, shownOf } from './rule-diagnostics.ts';
import type { LocatedRule } from './rule-file.ts';
import { readRuleBytes, TEST_FILE, yamlFilesAt } from './rule-folder.ts';
import { recordedSources } from './rule-test-recordings.ts';
import type { TestCourse } from './rule-tests.ts';

/** A test that can be run: with the rules that judge it and the place where it stands. */
export interface LocatedTest extends TextPosition {
  file: string;
  /** The one rule that is tested alone, as if enforced. */
  rule: string | undefined;
  /** Without `rule`: the rules that judge together, each in its own mode; undefined for all. */
  rules: readonly string[] | undefined;
  test: RuleTest;
  course: TestCourse;
}

/** The tests inside the rules, then those of the `*.test.yaml` files at the paths. */
export async function loadTests(
  paths: readonly string[],
  rules: readonly LocatedRule[],
): Promise<{ tests: LocatedTest[]; diagnostics: Diagnostic[] }> {
  const found: { tests: LocatedTest[]; diagnostics: Diagnostic[] } = { tests: [], diagnostics: [] };
  for (const { rule, file, locate } of rules) {
    const report = reporter(file, { value: rule, locate }, found.diagnostics, { rule: rule.id });
    for (const [index, test] of rule.tests.entries()) {
      const path = ['tests', index];
      const course = await runnable(file, test, path, report);
      if (course) found.tests.push({ file, ...locate({ path }), rule: rule.id, rules: undefined, test, course });
    }
  }
  const files = (await Promise.all(paths.map(yamlFilesAt))).flat().filter((file) => TEST_FILE.test(file));
  for (const file of new Set(files)) {
    const read = await readTestFile(file, await readRuleBytes(file), rules);
    found.tests.push(...read.tests);
    found.diagnostics.push(...read.diagnostics);
  }
  return found;
}

async function readTestFile(
  file: string,
  text: string | Uint8Array,
  rules: readonly LocatedRule[],
): Promise<{ tests: LocatedTest[]; diagnostics: Diagnostic[] }> {
  const { documents, problems } = readYaml(text);
  const diagnostics: Diagnostic[] = problems.map((problem) => ({ file, severity: 'error', ...problem }));
  const tests: LocatedTest[] = [];
  for (const document of documents) tests.push(...(await readDocument(file, document, rules, diagnostics)));
  diagnostics.sort((a, b) => a.line - b.line || a.col - b.col);
  return { tests, diagnostics: shownOf(diagnostics) };
}

async function readDocument(
  file: string,
  document: YamlDocument,
  rules: readonly LocatedRule[],
  diagnostics: Diagnostic[],
): Promise<LocatedTest[]> {
  const report = reporter(file, document, diagnostics);
  const parsed = RuleTestFile.safeParse(document.value);
  if (!parsed.success) {
    reportSchema(schemaProblems(parsed.error, RuleTestFile, document.value), report);
    return [];
  }
  const { rule, rules: together, tests } = parsed.data;
  const known = rules.map((one) => one.rule.id);
  const isUsable = (id: string, path: PropertyKey[], among: readonly string[]): boolean => {
    if (among.includes(id)) return true;
    report({ path }, `no usable rule "${id}" among those that are checked${hint(id, among)}`);
    return false;
  };
  const unusable = [
    ...(rule === undefined || isUsable(rule, ['rule'], known) ? [] : [rule]),
    ...(together ?? []).filter((id, index) => !isUsable(id, ['rules', index], known)),
  ];
  const judging = rule === undefined ? (together ?? known) : [rule];
  const located: LocatedTest[] = [];
  for (const [index, test] of tests.entries()) {
    const path = ['tests', index];
    const course = await runnable(file, test, path, report);
    for (const [at, expectation] of unusable.length > 0 ? [] : test.expect.entries()) {
      if (expectation.rule !== undefined) isUsable(expectation.rule, [...path, 'expect', at, 'rule'], judging);
    }
    if (course && unusable.length === 0)
      located.push({ file, ...document.locate({ path }), rule, rules: together, test, course });
  }
  return located;
}

/** What happens in the test; undefined where something is wrong with it, which is reported. */
async function runnable(
  file: string,
  test: RuleTest,
  path: PropertyKey[],
  report: Report,
): Promise<TestCourse | undefined> {
  const { recorded, problems } = await recordedSources(file, test);
  const made = eventsOf(test, recorded);
  const all = [...problems, ...made.problems];
  reportSchema(all, report, path);
  return all.length === 0 ? made : undefined;
}

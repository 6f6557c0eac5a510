import type { Reading } from '../app/gauge.ts';
import type { Moment } from '../app/rule-tests.ts';
import type { TestResult } from '../app/test-run.ts';
import { formatDuration } from '../domain/duration.ts';
import { CONDITIONS } from '../domain/level.ts';
import type { Rule } from '../domain/rule.ts';
import type { Expectation } from '../domain/rule-test.ts';
import { aligned } from './columns.ts';

const ROWS_MAX = 16;
const RULES_MAX = 3;

/** What was expected, what came, and of each rule concerned its conditions over a table of its numbers. No colours. */
export function failureLines({ located, body, outcome }: TestResult): string[] {
  const { failures, timeline } = outcome;
  const { expect } = located.test;
  const numbers = interesting(expect, timeline);
  const concerned = concernedRules(body.rules, expect, timeline);
  return [
    ...failures.flatMap(({ expected, found }) => [`expected: ${expected}`, `found:    ${found}`]),
    ...concerned.flatMap((rule) => [
      ...(body.rules.length > 1 ? [`rule ${rule.id}${rule.mode === 'shadow' ? ' (shadow)' : ''}`] : []),
      ...CONDITIONS.flatMap((condition) =>
        rule.when[condition] === undefined ? [] : [`${condition.padEnd(5)} when ${rule.when[condition]}`],
      ),
      ...ruleTable(rule, timeline, numbers),
    ]),
  ];
}

/** Of several rules those that the test names, that raise the session, or that have a condition which holds. */
function concernedRules(rules: readonly Rule[], expect: readonly Expectation[], timeline: readonly Moment[]): Rule[] {
  if (rules.length === 1) return [...rules];
  const named = new Set([...expect.map(({ rule }) => rule), ...timeline.map(({ rule }) => rule)]);
  const holding = new Set(
    timeline.flatMap(({ readings }) =>
      readings.filter(({ bounds }) => bounds.some(({ holds }) => holds)).map(({ rule }) => rule),
    ),
  );
  const found = [
    ...rules.filter(({ id }) => named.has(id)),
    ...rules.filter(({ id }) => !named.has(id) && holding.has(id)),
  ];
  return found.slice(0, RULES_MAX);
}

/** The events at which something changes or was expected to, with the one before each; the first and the last. */
function interesting(expect: readonly Expectation[], timeline: readonly Moment[]): Set<number> {
  const numbers = new Set<number>([1, timeline.length]);
  for (const { number, level } of timeline) {
    if (level !== (timeline[number - 2]?.level ?? 'clear')) numbers.add(number - 1).add(number);
  }
  for (const { at } of expect) if (at !== undefined) numbers.add(at - 1).add(at);
  return new Set([...numbers].filter((number) => number >= 1 && number <= timeline.length).slice(0, ROWS_MAX));
}

/** `2` is what the condition compares with, `2 holds` that it holds; a dot where the rule does not look at the event. */
function ruleTable({ id, when, measure }: Rule, timeline: readonly Moment[], numbers: ReadonlySet<number>): string[] {
  const measures = Object.keys(measure);
  const conditions = CONDITIONS.filter((condition) => when[condition] !== undefined);
  const rows = timeline
    .filter(({ number }) => numbers.has(number))
    .map(({ number, sinceStartMs, tool, level, readings }) => {
      const reading = readings.find(({ rule }) => rule === id);
      return [
        String(number),
        formatDuration(sinceStartMs),
        tool,
        level,
        ...measures.map((name) => (reading === undefined ? '·' : shortNumber(reading.measures[name]!))),
        ...conditions.map((condition) => boundCell(reading, condition)),
      ];
    });
  const head = ['event', 'after', 'tool', 'level', ...measures, ...conditions.map((condition) => `${condition} at`)];
  return aligned([head, ...rows]);
}

export function boundCell(reading: Reading | undefined, condition: string): string {
  const bound = reading?.bounds.find((one) => one.condition === condition);
  if (bound === undefined) return '·';
  const thresholds = bound.compared.map(({ threshold }) => shortNumber(threshold)).join(', ');
  return bound.holds ? `${thresholds} holds`.trimStart() : thresholds || '·';
}

export function shortNumber(value: number): string {
  return String(Number(value.toFixed(2)));
}

import { SILENCE } from '../app/explain/explanation.ts';
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
  const shown = interesting(expect, timeline);
  const concerned = concernedRules(body.rules, expect, timeline);
  return [
    ...failures.flatMap(({ expected, found }) => [`expected: ${expected}`, `found:    ${found}`]),
    ...concerned.flatMap((rule) => [
      ...(body.rules.length > 1 ? [`rule ${rule.id}${rule.mode === 'shadow' ? ' (shadow)' : ''}`] : []),
      ...CONDITIONS.flatMap((condition) =>
        rule.when[condition] === undefined ? [] : [`${condition.padEnd(5)} when ${rule.when[condition]}`],
      ),
      ...ruleTable(rule, shown),
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

/** The moments at which something changes or was expected to, with the one before each; the first and the last. */
function interesting(expect: readonly Expectation[], timeline: readonly Moment[]): Moment[] {
  const places = new Set<number>([0, timeline.length - 1]);
  for (const [place, { level }] of timeline.entries()) {
    if (level !== (timeline[place - 1]?.level ?? 'clear')) places.add(place - 1).add(place);
  }
  for (const { at, after } of expect) {
    const place = timeline.findIndex(({ number }) => number === (at ?? after));
    if (place >= 0) places.add(place - 1).add(place);
  }
  const chosen = new Set([...places].slice(0, ROWS_MAX));
  return timeline.filter((_, place) => chosen.has(place));
}

/**
 * `2` is what the condition compares with, `2 holds` that it holds; a dot where the rule does not look at the event. Of a
 * silence the number is that of the event before it.
 */
function ruleTable({ id, when, measure }: Rule, shown: readonly Moment[]): string[] {
  const measures = Object.keys(measure);
  const conditions = CONDITIONS.filter((condition) => when[condition] !== undefined);
  const rows = shown.map(({ number, sinceStartMs, tool, level, readings }) => {
    const reading = readings.find(({ rule }) => rule === id);
    return [
      String(number),
      formatDuration(sinceStartMs),
      tool ?? SILENCE,
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

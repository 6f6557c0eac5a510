import type { ActionEvent } from '../domain/event.ts';
import type { Finding } from '../domain/finding.ts';
import { parseInstant } from '../domain/instant.ts';
import { type Level, levelRank } from '../domain/level.ts';
import type { Output } from '../domain/output.ts';
import type { LogRecord } from '../domain/record.ts';
import type { PolicyBody, PolicySettings, Rule } from '../domain/rule.ts';
import type { Expectation, RuleTest } from '../domain/rule-test.ts';
import { Partition } from '../engine/partition.ts';
import { compilePolicy } from '../engine/plan/policy.ts';
import { step } from '../engine/step.ts';
import { eventsOf, TEST_SESSION } from '../formats/event-generator.ts';
import { Gauge, type Reading } from './gauge.ts';
import { policyHash } from './rule-folder.ts';

/** What the session looked like after one event of a test. */
export interface Moment {
  /** Number of the event, from 1. */
  number: number;
  sinceStartMs: number;
  tool: string;
  level: Level;
  /** The sentence that explains the rise to `level` and the rule that speaks it, if this event caused it. */
  reason: string | undefined;
  rule: string | undefined;
  /** Of the rules that look at this event. */
  readings: Reading[];
}

export interface TestOutcome {
  failures: { expected: string; found: string }[];
  timeline: Moment[];
}

/** The policy of a rule that is tested alone: enforced, whatever it is else, under the settings of its folder. */
export function policyOfOne({ shadowUntil: _, ...rule }: Rule, settings: PolicySettings): PolicyBody {
  return { format: 1, settings, rules: [{ ...rule, mode: 'enforce', tests: [] }] };
}

/** Runs one test of a rule alone, over events that the test itself makes. */
export function runRuleTest(rule: Rule, settings: PolicySettings, test: RuleTest): TestOutcome {
  const { events, problems } = eventsOf(test);
  if (problems.length > 0) throw new Error(`test "${test.name}": ${problems[0]!.message}`);
  return runTest(policyOfOne(rule, settings), events, test.expect);
}

/** Judges the events, all of one session, through the same `step` that judges live traffic. */
export function runTest(body: PolicyBody, events: readonly ActionEvent[], expect: readonly Expectation[]): TestOutcome {
  const plan = compilePolicy(policyHash(body), body);
  const partition = new Partition('test', 0);
  partition.judgeUnder(plan);
  const gauge = new Gauge('test', 0);
  const startMs = parseInstant(events[0]!.time);
  const timeline: Moment[] = [];
  let before: Level = 'clear';
  for (const [index, event] of events.entries()) {
    const appendMs = parseInstant(event.time);
    const record: LogRecord = { offset: index, appendMs, body: { type: 'action', event } };
    const risen = riseIn(step(partition, record));
    const level = partition.find(TEST_SESSION)?.level ?? 'clear';
    timeline.push({
      number: index + 1,
      sinceStartMs: appendMs - startMs,
      tool: event.tool,
      level,
      reason: risen?.reason,
      rule: risen?.rule,
      readings: gauge.read(record, plan, before),
    });
    before = level;
  }
  return { failures: expect.flatMap((one) => failureOf(one, timeline) ?? []), timeline };
}

function riseIn(outputs: readonly Output[]): Finding | undefined {
  for (const output of outputs) {
    if (output.topic === 'findings' && output.finding.code === 'level_changed') return output.finding;
  }
  return undefined;
}

function failureOf(expectation: Expectation, timeline: readonly Moment[]): TestOutcome['failures'][number] | undefined {
  const { at, level, reason, rule, never, end } = expectation;
  if (never !== undefined) {
    const reached = firstAt(never, timeline);
    if (reached === undefined) return undefined;
    const by = reached.rule === undefined ? '' : ` (${reached.rule})`;
    return { expected: `never ${never}`, found: `event ${reached.number} raises the session to ${reached.level}${by}` };
  }
  if (end !== undefined) {
    const last = timeline.at(-1)!;
    return last.level === end ? undefined : { expected: `${end} after the last event`, found: last.level };
  }
  const moment = timeline[at! - 1]!;
  const before = timeline[at! - 2]?.level ?? 'clear';
  const expected = `event ${at} raises the session to ${level}`;
  if (moment.level !== level || levelRank(before) >= levelRank(level!)) {
    const reached = firstAt(level!, timeline);
    const found =
      reached === undefined ? `it never gets there` : `event ${reached.number} raises it to ${reached.level}`;
    return { expected, found: `${found}; after event ${at} it is ${moment.level}` };
  }
  if (rule !== undefined && moment.rule !== rule) {
    return { expected: `${expected} by the rule ${rule}`, found: `the rule is ${moment.rule}: "${moment.reason}"` };
  }
  if (reason !== undefined && moment.reason?.includes(reason) !== true) {
    return { expected: `${expected} because "${reason}"`, found: `the reason is "${moment.reason}"` };
  }
  return undefined;
}

function firstAt(level: Level, timeline: readonly Moment[]): Moment | undefined {
  return timeline.find((moment) => levelRank(moment.level) >= levelRank(level));
}

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
import { ownerTicks } from './owner-ticks.ts';
import { policyHash } from './rule-folder.ts';

/** What happens in a test, all of it in one session. */
export interface TestCourse {
  events: readonly ActionEvent[];
  /** Until then nothing more comes, ms since 1970. */
  endMs: number;
}

/** What the session looked like after one event of a test, or where what did not come changed it. */
export interface Moment {
  /** Number of the event, from 1; of a silence, that of the event before it. */
  number: number;
  sinceStartMs: number;
  /** Undefined for a silence. */
  tool: string | undefined;
  level: Level;
  /** The sentence that explains the rise to `level` and the rule that speaks it, if this moment caused it. */
  reason: string | undefined;
  rule: string | undefined;
  /** Of the rules that look at it. */
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
  const course = eventsOf(test);
  const [problem] = course.problems;
  if (problem !== undefined) throw new Error(`test "${test.name}": ${problem.message}`);
  return runTest(policyOfOne(rule, settings), course, test.expect);
}

/** Judges what happens through the same `step` that judges live traffic, with the ticks that an owner would write. */
export function runTest(body: PolicyBody, { events, endMs }: TestCourse, expect: readonly Expectation[]): TestOutcome {
  const plan = compilePolicy(policyHash(body), body);
  const partition = new Partition('test', 0);
  partition.judgeUnder(plan);
  const gauge = new Gauge('test', 0);
  const startMs = parseInstant(events[0]!.time);
  const timeline: Moment[] = [];
  const levelNow = () => partition.find(TEST_SESSION)?.level ?? 'clear';
  const note = (number: number, tool: string | undefined, outputs: readonly Output[], readings: Reading[]) => {
    const risen = riseIn(outputs);
    const sinceStartMs = partition.state.clockMs - startMs;
    timeline.push({
      number,
      sinceStartMs,
      tool,
      level: levelNow(),
      reason: risen?.reason,
      rule: risen?.rule,
      readings,
    });
  };
  const passTime = (untilMs: number, number: number) => {
    for (const tick of ownerTicks(partition, untilMs, number - 1)) {
      const before = levelNow();
      const outputs = step(partition, tick);
      gauge.pass(tick, partition);
      if (levelNow() === before) continue;
      note(number, undefined, outputs, gauge.readSilence(TEST_SESSION, partition));
    }
  };
  for (const [index, event] of events.entries()) {
    const appendMs = parseInstant(event.time);
    passTime(appendMs, index);
    const before = levelNow();
    const record: LogRecord = { offset: index, appendMs, body: { type: 'action', event } };
    const outputs = step(partition, record);
    note(index + 1, event.tool, outputs, gauge.read(record, partition, before));
  }
  passTime(endMs, events.length);
  return { failures: expect.flatMap((one) => failureOf(one, timeline) ?? []), timeline };
}

function riseIn(outputs: readonly Output[]): Finding | undefined {
  for (const output of outputs) {
    if (output.topic === 'findings' && output.finding.code === 'level_changed') return output.finding;
  }
  return undefined;
}

function failureOf(expectation: Expectation, timeline: readonly Moment[]): TestOutcome['failures'][number] | undefined {
  const { at, after, level, reason, rule, never, end } = expectation;
  if (never !== undefined) {
    const reached = firstAt(never, timeline);
    if (reached === undefined) return undefined;
    const by = reached.rule === undefined ? '' : ` (${reached.rule})`;
    return { expected: `never ${never}`, found: `${named(reached)} raises the session to ${reached.level}${by}` };
  }
  if (end !== undefined) {
    const last = timeline.at(-1)!;
    return last.level === end ? undefined : { expected: `${end} at the end`, found: last.level };
  }
  const silent = at === undefined;
  const number = (at ?? after)!;
  const expected = `${namedBy(number, silent)} raises the session to ${level}`;
  const isMeant = (one: Moment) => one.number === number && (one.tool === undefined) === silent;
  const index = timeline.findIndex((one) => isMeant(one) && (!silent || one.level === level));
  const moment = timeline[index];
  if (
    moment === undefined ||
    moment.level !== level ||
    levelRank(timeline[index - 1]?.level ?? 'clear') >= levelRank(level!)
  ) {
    const reached = firstAt(level!, timeline);
    const found = reached === undefined ? `it never gets there` : `${named(reached)} raises it to ${reached.level}`;
    const then = timeline.findLast((one) => (silent ? one.number === number : isMeant(one)))!;
    return { expected, found: `${found}; after ${namedBy(number, silent)} it is ${then.level}` };
  }
  if (rule !== undefined && moment.rule !== rule) {
    return { expected: `${expected} by the rule ${rule}`, found: `the rule is ${moment.rule}: "${moment.reason}"` };
  }
  if (reason !== undefined && moment.reason?.includes(reason) !== true) {
    return { expected: `${expected} because "${reason}"`, found: `the reason is "${moment.reason}"` };
  }
  return undefined;
}

function named({ number, tool }: Moment): string {
  return namedBy(number, tool === undefined);
}

function namedBy(number: number, silent: boolean): string {
  return silent ? `the silence after event ${number}` : `event ${number}`;
}

function firstAt(level: Level, timeline: readonly Moment[]): Moment | undefined {
  return timeline.find((moment) => levelRank(moment.level) >= levelRank(level));
}

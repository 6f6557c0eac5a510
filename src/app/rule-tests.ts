import { parseInstant } from '../domain/instant.ts';
import { type Level, levelRank } from '../domain/level.ts';
import type { Output } from '../domain/output.ts';
import type { PolicySettings, Rule } from '../domain/rule.ts';
import type { Expectation, RuleTest } from '../domain/rule-test.ts';
import { Partition } from '../engine/partition.ts';
import { compilePolicy, type Plan } from '../engine/plan/policy.ts';
import { readingsOf } from '../engine/readings.ts';
import { Group } from '../engine/session/group.ts';
import { step } from '../engine/step.ts';
import { eventsOf, TEST_SESSION } from '../formats/event-generator.ts';
import { policyHash } from './rule-folder.ts';

/** What the session looked like after one event of a test. */
export interface Moment {
  /** Number of the event, from 1. */
  number: number;
  sinceStartMs: number;
  level: Level;
  /** The sentence that explains the rise to `level`, if this event caused it. */
  reason: string | undefined;
  /** Values of the rule's measures; of a killed session those that killed it. */
  measures: Record<string, number>;
}

export interface TestOutcome {
  failures: { expected: string; found: string }[];
  timeline: Moment[];
}

/**
 * Runs one test: the rule alone, enforced, under the settings of its policy, over the events of one session, through
 * the same `step` that judges live traffic.
 */
export function runRuleTest(rule: Rule, settings: PolicySettings, test: RuleTest): TestOutcome {
  const body = { format: 1 as const, settings, rules: [{ ...rule, mode: 'enforce' as const, tests: [] }] };
  const plan = compilePolicy(policyHash(body), body);
  const partition = new Partition('test', 0);
  partition.judgeUnder(plan);
  const { events, problems } = eventsOf(test);
  if (problems.length > 0) throw new Error(`test "${test.name}": ${problems[0]!.message}`);
  const startMs = parseInstant(events[0]!.time);
  const timeline: Moment[] = [];
  for (const [index, event] of events.entries()) {
    const appendMs = parseInstant(event.time);
    const outputs = step(partition, { offset: index, appendMs, body: { type: 'action', event } });
    const before = timeline.at(-1);
    timeline.push({
      number: index + 1,
      sinceStartMs: appendMs - startMs,
      level: partition.find(TEST_SESSION)?.level ?? 'clear',
      reason: risen(outputs)?.reason,
      measures: measuresNow(partition, plan) ?? risen(outputs)?.measures ?? before?.measures ?? {},
    });
  }
  return { failures: test.expect.flatMap((one) => failureOf(one, timeline) ?? []), timeline };
}

function risen(outputs: readonly Output[]) {
  for (const output of outputs) {
    if (output.topic === 'findings' && output.finding.code === 'level_changed') return output.finding;
  }
  return undefined;
}

/** Undefined for a killed session, which keeps nothing but its mark. */
function measuresNow(partition: Partition, plan: Plan): Record<string, number> | undefined {
  const session = partition.find(TEST_SESSION);
  if (!session || session.level === 'killed') return undefined;
  const group = [...plan.groups.values()].find(({ rules }) => rules.length > 0);
  const [rule] = group!.rules;
  return readingsOf(rule!, session.groups.get(group!.id) ?? new Group(), session);
}

function failureOf(expectation: Expectation, timeline: readonly Moment[]): TestOutcome['failures'][number] | undefined {
  const { at, level, reason, never, end } = expectation;
  if (never !== undefined) {
    const reached = firstAt(never, timeline);
    if (reached === undefined) return undefined;
    return { expected: `never ${never}`, found: `event ${reached.number} raises the session to ${reached.level}` };
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
  if (reason !== undefined && moment.reason?.includes(reason) !== true) {
    return { expected: `${expected} because "${reason}"`, found: `the reason is "${moment.reason}"` };
  }
  return undefined;
}

function firstAt(level: Level, timeline: readonly Moment[]): Moment | undefined {
  return timeline.find((moment) => levelRank(moment.level) >= levelRank(level));
}

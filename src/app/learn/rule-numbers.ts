import type { Baseline, RuleBaseline } from '../../domain/baseline.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { PolicyBody, Rule } from '../../domain/rule.ts';
import { EVERYBODY } from '../../engine/evidence/plan.ts';
import { Partition } from '../../engine/partition.ts';
import { numbersMeaning, type Quantile, quantilesOf } from '../../engine/plan/learned.ts';
import { compilePolicy, type Plan, type RulePlan } from '../../engine/plan/policy.ts';
import { readingOf } from '../../engine/readings.ts';
import { step } from '../../engine/step.ts';
import { quantile } from '../../learning/quantile.ts';
import type { Lesson } from './lesson.ts';
import { COHORT_SESSIONS } from './parameters.ts';

/** By rule and measure: the largest value in one session. */
type Largest = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What the rules measured in one session. */
export interface MeasuredSession {
  cohortKeys: Lesson['cohortKeys'];
  largest: Largest;
}

/**
 * Learns the numbers that rules read as `baseline.NAME`: how far each measure goes in a benign session, as quantiles per
 * cohort. The engine itself measures, with the rules' own windows; nothing is decided.
 */
export class RuleNumbers {
  /** Those that have such numbers. */
  readonly rules: readonly Rule[];
  readonly #plan: Plan;

  constructor({ settings, rules }: PolicyBody) {
    this.rules = rules.filter((rule) => quantilesOf(rule).length > 0);
    const measured = this.rules.map((rule) => ({ ...rule, when: { watch: false }, exceptions: undefined }));
    this.#plan = compilePolicy('numbers of rules', { format: 1, settings, rules: measured });
  }

  /** Whether a rule with such numbers measures anything of the action. */
  looksAt(event: ActionEvent): boolean {
    return this.#plan.groupsFor(event.action).some(({ test }) => test(event));
  }

  /** Numbers of every cohort, narrow and wide, with enough sessions. Undefined where no rule asks for any. */
  learn(sessions: readonly MeasuredSession[]): Baseline['rules'] {
    if (this.rules.length === 0) return undefined;
    const cohorts = new Map<string, Largest[]>([[EVERYBODY, []]]);
    for (const { cohortKeys, largest } of sessions) {
      for (const key of new Set([EVERYBODY, ...cohortKeys])) {
        if (key === undefined) continue;
        const known = cohorts.get(key);
        if (known) known.push(largest);
        else cohorts.set(key, [largest]);
      }
    }
    const large = [...cohorts].filter(([key, { length }]) => key === EVERYBODY || length >= COHORT_SESSIONS);
    return Object.fromEntries(
      this.rules.map((rule): [string, RuleBaseline] => {
        const numbers = large.map(([key, all]) => [key, numbersOf(rule.id, quantilesOf(rule), all)]);
        return [rule.id, { meaning: numbersMeaning(rule), cohorts: Object.fromEntries(numbers) }];
      }),
    );
  }

  measure({ cohortKeys, times, actions }: Lesson): MeasuredSession {
    const partition = new Partition('learned', 0);
    partition.judgeUnder(this.#plan);
    const largest = new Map<string, Map<string, number>>();
    let appendMs = 0;
    let offset = 0;
    for (const [at, event] of actions) {
      // The log's own time is not kept. It is not before the event's, and no window of a session looks at it.
      appendMs = Math.max(appendMs, times[at]!);
      step(partition, { offset: offset++, appendMs, body: { type: 'action', event } });
      const session = partition.find(event.session)!;
      for (const { id, test, rules } of this.#plan.groupsFor(event.action)) {
        if (rules.length === 0 || !test(event)) continue;
        const group = session.group(id);
        for (const rule of rules) note(largest, rule, (read) => readingOf(read, group, session, 'moved'));
      }
    }
    return { cohortKeys, largest };
  }
}

function note(
  largest: Map<string, Map<string, number>>,
  { rule, names, reads }: RulePlan,
  measured: (read: RulePlan['reads'][number]) => number,
): void {
  let known = largest.get(rule.id);
  if (!known) {
    known = new Map();
    largest.set(rule.id, known);
  }
  for (const [slot, name] of names.measures.entries()) {
    const value = measured(reads[slot]!);
    if (Number.isFinite(value)) known.set(name, Math.max(known.get(name) ?? 0, value));
  }
}

/** A session that a rule never looked at has 0. */
function numbersOf(rule: string, quantiles: readonly Quantile[], sessions: readonly Largest[]): Record<string, number> {
  return Object.fromEntries(
    quantiles.map(({ name, measure, share }) => [
      name,
      quantile(
        sessions.map((largest) => largest.get(rule)?.get(measure) ?? 0),
        share,
      ),
    ]),
  );
}

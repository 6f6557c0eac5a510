import type { Level } from '../domain/level.ts';
import type { LogRecord } from '../domain/record.ts';
import type { Value } from '../engine/expression/term.ts';
import { boundsOf, judge, measuresOf } from '../engine/judge.ts';
import { Partition } from '../engine/partition.ts';
import { compilePolicy, type GroupPlan, type Plan } from '../engine/plan/policy.ts';
import type { Session } from '../engine/session/session.ts';
import { step } from '../engine/step.ts';
import { withoutPolicy } from './replay.ts';

/** What one rule measures at one action that passes its match, or where none came, and what its conditions make of it. */
export interface Reading {
  rule: string;
  /** Over all actions, also those that an exception covers. */
  measures: Record<string, number>;
  /** Rising: watch, pause, kill, those that the rule has. */
  bounds: ReturnType<typeof boundsOf>;
  /** In the order of the rule's names: measures, baseline, session. */
  values: readonly Value[];
}

/**
 * Reads the measures of all rules at each action. The partition that decides cannot be asked: it forgets the windows
 * of a session when it kills it. So this one measures the same and never decides.
 */
export class Gauge {
  readonly #partition: Partition;
  #plan: Plan | undefined;

  constructor(topicId: string, partition: number) {
    this.#partition = new Partition(topicId, partition);
  }

  /**
   * `decided` has stepped the record, and each record since the first that was read went by here (see `pass`); `before` is
   * the level that the session had when the action came.
   */
  read(record: LogRecord, { plan }: Partition, before: Level): Reading[] {
    const { body } = record;
    this.#judgeUnder(plan);
    const { accounting } = this.#partition.state;
    const judged = accounting.judged;
    // Conditions may ask for the level. After a kill nothing asks any more.
    const known = body.type === 'action' ? this.#partition.find(body.event.session) : undefined;
    if (known !== undefined && before !== 'killed') known.level = before;
    step(this.#partition, withoutPolicy(record));
    if (body.type !== 'action' || plan === undefined || accounting.judged === judged) return [];
    const { event } = body;
    const session = this.#partition.find(event.session)!;
    return plan
      .groupsFor(event.action)
      .filter((group) => group.test(event))
      .flatMap((group) => readingsOf(group, session));
  }

  /** A record that is not read: the time that passes with it. */
  pass({ offset, appendMs }: LogRecord, { plan }: Partition): void {
    this.#judgeUnder(plan);
    step(this.#partition, { offset, appendMs, body: { type: 'tick' } });
  }

  /** What a session that did nothing is measured at, where a record has just passed. */
  readSilence(id: string, { plan }: Partition): Reading[] {
    const session = this.#partition.find(id);
    if (plan === undefined || session === undefined) return [];
    const waiting = new Set(plan.waiting.map(({ group }) => group));
    return [...plan.groups.values()]
      .filter((group) => waiting.has(group.id))
      .flatMap((one) => readingsOf(one, session));
  }

  #judgeUnder(plan: Plan | undefined): void {
    if (plan !== undefined && plan !== this.#plan) this.#partition.judgeUnder(withoutConditions(plan));
    this.#plan = plan;
  }
}

function readingsOf({ id, rules }: GroupPlan, session: Session): Reading[] {
  return rules.map((rule) => {
    const ruling = judge(rule, session.group(id), session);
    const { values } = ruling;
    return { rule: rule.rule.id, measures: measuresOf(ruling), bounds: boundsOf(ruling), values };
  });
}

/** The same windows, named by match and measure; no condition and no exception looks at them. */
function withoutConditions({ hash, settings, groups }: Plan): Plan {
  const rules = [...groups.values()].flatMap((group) =>
    group.rules.map(({ rule }) => ({ ...rule, when: { watch: false }, exceptions: undefined })),
  );
  return compilePolicy(`${hash} measured`, { format: 1, settings, rules });
}

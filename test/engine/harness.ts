import type { Decision } from '../../src/domain/decision.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output } from '../../src/domain/output.ts';
import type { Acknowledgement, RecordBody } from '../../src/domain/record.ts';
import { PolicySettings, Rule } from '../../src/domain/rule.ts';
import { Partition } from '../../src/engine/partition.ts';
import { compilePolicy, type Plan } from '../../src/engine/plan/policy.ts';
import { step } from '../../src/engine/step.ts';

export const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0);

/** A rule in the shape of `rule`, with defaults that pass the schema. */
export function ruleOf(rule: Record<string, unknown>): Rule {
  return Rule.parse({
    id: 'test-rule',
    title: 'Test',
    severity: 'high',
    within: '10m',
    measure: { n: 'count' },
    ...rule,
  });
}

export function planOf(
  rules: Record<string, unknown>[],
  settings: Partial<PolicySettings> = {},
  hash = `sha256:${'a'.repeat(64)}`,
): Plan {
  return compilePolicy(hash, { format: 1, settings: PolicySettings.parse(settings), rules: rules.map(ruleOf) });
}

/** A partition under one plan, and a log that is written by hand: each call appends one record and steps it. */
export class Log {
  readonly partition: Partition;
  offset = 0;
  #ids = 0;

  constructor(plan: Plan, partition = new Partition('topic-1', 0)) {
    this.partition = partition;
    partition.judgeUnder(plan);
  }

  /** One action, `atMs` after the start of the log; `append` when the append time is another. */
  act(atMs: number, event: Partial<ActionEvent> = {}, appendAtMs = atMs): Output[] {
    const full: ActionEvent = {
      id: `e-${this.#ids++}`,
      time: formatInstant(START_MS + atMs),
      session: 's-1',
      agent: { id: 'agent-1' },
      tool: 'tool',
      action: 'delete',
      outcome: 'ok',
      ...event,
    };
    return this.append(appendAtMs, { type: 'action', event: full });
  }

  /** Any record, `atMs` after the start of the log. */
  append(atMs: number, body: RecordBody): Output[] {
    return step(this.partition, { offset: this.offset++, appendMs: START_MS + atMs, body });
  }

  tick(atMs: number): Output[] {
    return this.append(atMs, { type: 'tick' });
  }

  /** What the owner appends once the commands among the outputs are out. */
  published(atMs: number, outputs: readonly Output[]): Output[] {
    return outputs.flatMap((output) => {
      if (output.topic !== 'commands') return [];
      const { id: command, session, scope } = output.command;
      const published = { command, ...(session === undefined ? {} : { session }), ...(scope && { scope }) };
      return this.append(atMs, { type: 'published', published });
    });
  }

  /** A decision of kim about `s-1`, unless it says otherwise. */
  decide(atMs: number, decision: Partial<Decision> & Pick<Decision, 'kind'>): Output[] {
    const id = `d-${this.#ids++}`;
    const about = decision.scope === undefined ? { session: 's-1' } : {};
    return this.append(atMs, { type: 'decision', decision: { id, by: { id: 'kim' }, ...about, ...decision } });
  }

  acknowledge(
    atMs: number,
    command: string,
    status: Acknowledgement['status'],
    session = 's-1',
    of?: string,
  ): Output[] {
    const id = `a-${this.#ids++}`;
    const acknowledgement = {
      id,
      command,
      session,
      status,
      enforcer: 'gw',
      ...(of === undefined ? {} : { class: of }),
    };
    return this.append(atMs, { type: 'acknowledgement', acknowledgement });
  }

  /** The pause that `s-1` waits on, as an answer names it. */
  get request(): { command: string; view: string } {
    const { command, view } = this.partition.sessions.get('s-1')!.standing!.pause!;
    return { command, view };
  }

  level(session = 's-1'): string {
    return this.partition.sessions.get(session)?.level ?? 'none';
  }
}

export function commandsOf(outputs: Output[]): string[] {
  return outputs.flatMap((output) =>
    output.topic === 'commands' ? [`${output.command.action} ${output.command.session}`] : [],
  );
}

export function findingsOf(outputs: Output[]): string[] {
  return outputs.flatMap((output) => (output.topic === 'findings' ? [output.finding.code] : []));
}

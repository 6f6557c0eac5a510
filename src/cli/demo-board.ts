import type { Replayed } from '../app/replay.ts';
import type { Action, ActionEvent } from '../domain/event.ts';
import type { Finding } from '../domain/finding.ts';
import type { Level } from '../domain/level.ts';
import type { Plan } from '../engine/plan/policy.ts';
import { type Risk, riskGauge } from '../engine/risk.ts';

/** What one session did after it was told to stop: nobody stops it in a recording. */
export interface Afterwards {
  actions: number;
  /** Steps that took effect, by kind. */
  done: Map<Action, number>;
  refused: number;
}

export interface Row {
  session: string;
  agent: string;
  principal: string | undefined;
  /** Its last call. */
  does: string;
  actions: number;
  level: Level;
  /** 0 to 1: how near it is to being stopped. */
  risk: number;
  lastMs: number;
  /** Level changes in order. */
  changes: Change[];
  /** Actions until the first command, that one included; undefined while there is none. */
  actionsUntilStop: number | undefined;
  afterwards: Afterwards;
}

export interface Change {
  atMs: number;
  to: Level;
  agent: string;
  rule: string | undefined;
  reason: string;
}

/** What the demo knows of the day so far. */
export class Board {
  readonly rows = new Map<string, Row>();
  readonly changes: Change[] = [];
  actions = 0;
  clockMs = 0;
  #plan: Plan | undefined;
  #riskOf: ReturnType<typeof riskGauge> = () => undefined;

  /** Takes a record in; answers the level changes that it brought. */
  note({ partition, record, outputs }: Replayed): Change[] {
    this.clockMs = record.appendMs;
    if (partition.plan !== undefined && partition.plan !== this.#plan) {
      this.#plan = partition.plan;
      this.#riskOf = riskGauge(partition.plan);
    }
    if (record.body.type !== 'action') return [];
    const { event } = record.body;
    const row = this.#row(event);
    this.actions++;
    row.actions++;
    row.does = [event.tool, event.resource?.id].join(' ');
    row.lastMs = record.appendMs;
    if (row.actionsUntilStop !== undefined) noteAfterwards(row.afterwards, event);
    const session = partition.sessions.get(event.session);
    const changes = outputs.flatMap((output) =>
      output.topic === 'findings' && output.finding.code === 'level_changed'
        ? [changeOf(output.finding, record.appendMs)]
        : [],
    );
    row.changes.push(...changes);
    this.changes.push(...changes);
    if (session === undefined) return changes;
    row.level = session.level;
    row.risk = riskShown(session.level, this.#riskOf(session));
    if (isStopped(row) && row.actionsUntilStop === undefined) row.actionsUntilStop = row.actions;
    return changes;
  }

  #row(event: ActionEvent): Row {
    let row = this.rows.get(event.session);
    if (row === undefined) {
      row = {
        session: event.session,
        agent: event.agent.id,
        principal: event.principal?.id,
        does: '',
        actions: 0,
        level: 'clear',
        risk: 0,
        lastMs: 0,
        changes: [],
        actionsUntilStop: undefined,
        afterwards: { actions: 0, done: new Map(), refused: 0 },
      };
      this.rows.set(event.session, row);
    }
    return row;
  }
}

export function isStopped({ level }: Pick<Row, 'level'>): boolean {
  return level === 'paused' || level === 'killed';
}

/** Whoever was stopped is at the end of the bar, however far the next stop is. */
function riskShown(level: Level, risk: Risk | undefined): number {
  return isStopped({ level }) ? 1 : (risk?.share ?? 0);
}

function noteAfterwards(afterwards: Afterwards, { action, outcome }: ActionEvent): void {
  afterwards.actions++;
  if (outcome === 'denied' || outcome === 'error') afterwards.refused++;
  else afterwards.done.set(action, (afterwards.done.get(action) ?? 0) + 1);
}

function changeOf({ level, agent, rule, reason }: Finding, atMs: number): Change {
  return { atMs, to: level!.to, agent: agent?.id ?? '', rule, reason };
}

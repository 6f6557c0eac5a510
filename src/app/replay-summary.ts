import { type Level, levelRank } from '../domain/level.ts';
import type { Refusal } from '../domain/record.ts';
import type { Partition } from '../engine/partition.ts';
import type { Replayed } from './replay.ts';

/** Unusable lines that are told one by one; all are counted. */
const TOLD_MAX = 5;

export interface Unusable {
  file: string;
  line: number | undefined;
  refusal: Refusal;
  reason: string;
}

/** Counts what a replay did. Sums over all partitions and files. */
export class ReplaySummary {
  records = 0;
  actions = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;
  readonly commands = new Map<string, Map<string, number>>();
  readonly refused = new Map<Refusal, number>();
  readonly told: Unusable[] = [];
  readonly #levels = new Map<string, Level>();
  readonly #partitions = new Set<Partition>();

  note({ recording, line, partition, record, outputs }: Replayed): void {
    this.#partitions.add(partition);
    if (line !== undefined) this.records++;
    if (record.body.type === 'action') {
      this.actions++;
      this.firstMs = Math.min(this.firstMs, record.appendMs);
      this.lastMs = Math.max(this.lastMs, record.appendMs);
      const { session } = record.body.event;
      if (!this.#levels.has(session)) this.#levels.set(session, 'clear');
    }
    for (const output of outputs) {
      if (output.topic === 'commands') this.#count(output.command.action, output.command.rule);
      if (
        output.topic === 'findings' &&
        output.finding.level !== undefined &&
        output.finding.code === 'level_changed'
      ) {
        this.#reached(output.finding.session!, output.finding.level.to);
      }
      if (output.topic === 'quarantine') {
        const { refusal, reason } = output;
        this.refused.set(refusal, (this.refused.get(refusal) ?? 0) + 1);
        if (this.told.length < TOLD_MAX) this.told.push({ file: recording.file, line, refusal, reason });
      }
    }
  }

  get sessions(): number {
    return this.#levels.size;
  }

  get partitions(): number {
    return this.#partitions.size;
  }

  /** Sessions by the highest level that they reached. */
  get levels(): Record<Level, number> {
    const counts: Record<Level, number> = { clear: 0, watch: 0, paused: 0, killed: 0 };
    for (const level of this.#levels.values()) counts[level]++;
    return counts;
  }

  /** What became of the actions. */
  accounting(name: 'judged' | 'repeated' | 'beforePolicy' | 'afterKill' | 'control'): number {
    let sum = 0;
    for (const { state } of this.#partitions) sum += state.accounting[name];
    return sum;
  }

  #count(action: string, rule: string): void {
    const rules = this.commands.get(action) ?? new Map<string, number>();
    rules.set(rule, (rules.get(rule) ?? 0) + 1);
    this.commands.set(action, rules);
  }

  #reached(session: string, level: Level): void {
    const before = this.#levels.get(session) ?? 'clear';
    if (levelRank(level) > levelRank(before)) this.#levels.set(session, level);
  }
}

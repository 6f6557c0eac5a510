import { FileSource } from '../../../src/app/backtest/file-source.ts';
import { Judging } from '../../../src/app/backtest/judging.ts';
import type { LabelTable } from '../../../src/app/backtest/labels.ts';
import type { JudgedSession } from '../../../src/app/backtest/outcome.ts';
import { Comparison, type Report } from '../../../src/app/backtest/report.ts';
import { type RemoteShard, Shard } from '../../../src/app/backtest/shard.ts';
import type { BySide } from '../../../src/app/backtest/sides.ts';
import type { PolicyBody } from '../../../src/domain/rule.ts';
import { DELAY_MS } from '../recordings.ts';

/** A shard of this thread, reached as through a thread: what goes in and out is a copy. */
export function localShard(rules: BySide<PolicyBody>): RemoteShard {
  const shard = new Shard(rules);
  const method =
    <Name extends keyof Shard>(name: Name) =>
    async (...args: unknown[]): Promise<never> => {
      const call = shard[name] as (...args: unknown[]) => unknown;
      return structuredClone(call.apply(shard, structuredClone(args))) as never;
    };
  return {
    judge: method('judge'),
    pendingUntilMs: method('pendingUntilMs'),
    runOn: method('runOn'),
    end: method('end'),
    totals: method('totals'),
    takeSessions: method('takeSessions'),
  };
}

export interface Backtested {
  report: Report;
  sessions: JudgedSession[];
}

export async function backtested(
  paths: readonly string[],
  rules: BySide<PolicyBody>,
  options: { shards?: number; labels?: LabelTable } = {},
): Promise<Backtested> {
  const source = await FileSource.open(paths, DELAY_MS);
  const judging = new Judging(Array.from({ length: options.shards ?? 2 }, () => localShard(rules)));
  const complete = await judging.read(source, new AbortController().signal, () => {});
  const totals = await judging.totals();
  const comparison = new Comparison(rules, options.labels);
  const sessions: JudgedSession[] = [];
  for await (const session of judging.sessions()) {
    sessions.push(session);
    comparison.note(session);
  }
  const names = rules.old === undefined ? { new: 'new' } : { old: 'old', new: 'new' };
  return { report: comparison.report({ complete, source, read: judging.soFar, names, totals }), sessions };
}

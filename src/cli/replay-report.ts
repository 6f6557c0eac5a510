import type { ReplaySummary } from '../app/replay-summary.ts';
import { formatInstant } from '../domain/instant.ts';

/** What a replay did, for the person who started it. */
export function summaryText(summary: ReplaySummary, durationMs: number, rules: string | undefined): string {
  const lines: [name: string, text: string][] = [];
  const perSecond = Math.round((summary.records / Math.max(durationMs, 1)) * 1000);
  lines.push(['records', `${number(summary.records)} in ${seconds(durationMs)} (${number(perSecond)}/s)`]);
  lines.push(['actions', actions(summary)]);
  if (summary.actions > 0) {
    lines.push(['time', `${formatInstant(summary.firstMs)} to ${formatInstant(summary.lastMs)}`]);
  }
  const { watch, paused, killed } = summary.levels;
  lines.push([
    'sessions',
    `${number(summary.sessions)}: ${number(killed)} killed, ${number(paused)} paused, ${number(watch)} watched`,
  ]);
  for (const [action, rules] of summary.commands) {
    const sum = [...rules.values()].reduce((a, b) => a + b, 0);
    const byRule = [...rules].sort((a, b) => b[1] - a[1]).map(([rule, count]) => `${rule} ${number(count)}`);
    lines.push([action, `${number(sum)}: ${byRule.join(', ')}`]);
  }
  if (summary.commands.size === 0) lines.push(['commands', 'none']);
  for (const [refusal, count] of summary.refused) lines.push(['refused', `${number(count)} ${refusal}`]);
  const told = summary.told.map(({ file, line, reason }) => `  ${file}:${line}: ${reason}\n`);
  const untold = [...summary.refused.values()].reduce((a, b) => a + b, 0) - told.length;
  if (untold > 0) told.push(`  and ${number(untold)} more\n`);
  return `${lines.map(([name, text]) => `${name.padEnd(9)} ${text}\n`).join('')}${told.join('')}${doubts(summary, rules)}`;
}

function actions(summary: ReplaySummary): string {
  const parts = [`${number(summary.accounting('judged'))} judged`];
  const others = { repeated: 'repeated', afterKill: 'after a kill', beforePolicy: 'before the first policy' } as const;
  for (const [name, text] of Object.entries(others) as [keyof typeof others, string][]) {
    const count = summary.accounting(name);
    if (count > 0) parts.push(`${number(count)} ${text}`);
  }
  return parts.join(', ');
}

function doubts(summary: ReplaySummary, rules: string | undefined): string {
  if (summary.accounting('beforePolicy') === 0 || rules !== undefined) return '';
  return 'The recording begins before its first policy. --rules DIR judges all of it by these rules.\n';
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 1)} s`;
}

import type { Colors } from 'picocolors/types.js';
import type { Share } from '../../app/backtest/labels.ts';
import { decisiveCause, type JudgedSession } from '../../app/backtest/outcome.ts';
import { placeText, type Report } from '../../app/backtest/report.ts';
import { type Side, sidesOf } from '../../app/backtest/sides.ts';
import { plainText } from '../../domain/explain.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { Level } from '../../domain/level.ts';

/** Changed sessions that a terminal shows; the HTML report and `--out` have more. */
const SHOWN_MAX = 12;
/** Actions that are named because no rule looks for them. */
const UNSEEN_MAX = 5;
const ID_MAX = 64;
const REASON_MAX = 160;
const TEXT_MAX = 500;
/** The levels above clear. */
export const RAISED = ['watch', 'paused', 'killed'] as const;
export const LEVEL_WORDS: Record<Level, string> = {
  clear: 'clear',
  watch: 'watched',
  paused: 'paused',
  killed: 'killed',
};

/** The report for a person at a terminal. How much of the stream the rules see at all comes first. */
export function backtestText(report: Report, durationMs: number, colors: Colors): string {
  const parts = [
    headline(report, durationMs, colors),
    levels(report, colors),
    rules(report, colors),
    roles(report, colors),
    labels(report, colors),
    notable(report, colors),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function headline(report: Report, durationMs: number, colors: Colors): string[] {
  const { coverage, sessions, read, firstMs, lastMs, refused, unusable } = report;
  const perSecond = number(Math.round((read.records / Math.max(durationMs, 1)) * 1000));
  const lines = [`read      ${number(read.records)} records in ${(durationMs / 1000).toFixed(1)} s (${perSecond}/s)`];
  if (!report.complete) {
    const share = read.share === undefined ? '' : `, ${percent(read.share)} of the input`;
    lines.push(
      colors.yellow(`          interrupted at ${shown(read.at)}${share}: all numbers are of what came before`),
    );
  }
  lines.push(`events    ${number(coverage.events)} of ${number(sessions)} sessions`);
  if (coverage.events > 0) lines.push(`time      ${formatInstant(firstMs)} to ${formatInstant(lastMs)}`);
  for (const { refusal, count } of refused) lines.push(`refused   ${number(count)} ${refusal}`);
  for (const { at, reason } of unusable) lines.push(`          ${shown(at)}: ${plainText(reason, REASON_MAX)}`);
  for (const side of sidesOf(report.rules)) {
    const { name, rules } = report.rules[side]!;
    lines.push(`${`${side} rules`.padEnd(10)}${number(rules)} in ${plainText(name, REASON_MAX)}`);
  }
  lines.push(colors.bold(`coverage  ${coverageText(report, 'new')}`));
  const before = report.rules.old === undefined ? undefined : coverageText(report, 'old');
  if (before !== undefined) lines.push(`  before  ${before === coverageText(report, 'new') ? 'the same' : before}`);
  const unseen = unseenText(report);
  return unseen === '' ? lines : [...lines, `unseen    ${unseen}`];
}

/** The sentence that belongs beside every other number. */
export function coverageText({ coverage: { events, covered, chosen } }: Report, side: Side): string {
  const share = (count: number) => `${number(count)} events (${percent(events === 0 ? 0 : count / events)})`;
  return `${share(covered[side]!)} pass the match of a rule, ${share(chosen[side]!)} one that names what it looks for`;
}

/** The actions of which the new rules see least. */
export function unseenText({ byAction }: Report): string {
  const unseen = byAction.map(({ action, events, chosen }) => ({ action, count: events - chosen.new }));
  const most = unseen.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return most
    .slice(0, UNSEEN_MAX)
    .map(({ action, count }) => `${action} ${number(count)}`)
    .join(', ');
}

function levels(report: Report, colors: Colors): string[] {
  const header = ['sessions', 'clear', ...RAISED.map((level) => LEVEL_WORDS[level])];
  const rows = sidesOf(report.levels).map((side) => {
    const of = report.levels[side]!;
    return [side, number(of.clear), ...RAISED.map((level) => number(of[level]))];
  });
  const lines = table([header, ...rows], colors);
  if (report.levels.old === undefined) return lines;
  const { higher, lower } = report;
  return [...lines, `${number(higher + lower)} change: ${number(higher)} end higher, ${number(lower)} lower`];
}

function rules(report: Report, colors: Colors): string[] {
  const rows = report.byRule.map(({ rule, sides }) => {
    const modes = sidesOf(report.rules).flatMap((side) => sides[side]?.mode ?? []);
    const added = report.rules.old !== undefined && sides.old === undefined ? ' (added)' : '';
    const gone = sides.new === undefined ? ' (gone)' : '';
    return [
      `${rule}${added}${gone}${modes.at(-1) === 'shadow' ? ' (shadow)' : ''}`,
      change(report, sides.old?.events, sides.new?.events),
      ...RAISED.map((level) => change(report, sides.old?.sessions[level], sides.new?.sessions[level])),
    ];
  });
  return table([['rule', 'events', ...RAISED.map((level) => LEVEL_WORDS[level])], ...rows], colors);
}

function roles(report: Report, colors: Colors): string[] {
  const rows = report.byRole.map(({ role, sessions, events, chosen, levels }) => [
    plainText(role, ID_MAX),
    number(sessions),
    percent(chosen.new / events),
    ...RAISED.map((level) => change(report, levels.old?.[level], levels.new[level])),
  ]);
  return table([['agent role', 'sessions', 'seen', ...RAISED.map((level) => LEVEL_WORDS[level])], ...rows], colors);
}

function labels({ labels, rules }: Report, colors: Colors): string[] {
  if (labels === undefined) return [];
  const sides = sidesOf(rules);
  const rows = labels.rows.flatMap(({ label, sessions, sides: of }) =>
    sides.map((side) => {
      const { stopped, killed, inTime } = of[side]!;
      return [
        plainText(label, ID_MAX),
        side,
        number(sessions),
        shareText(stopped),
        shareText(killed),
        shareText(inTime),
      ];
    }),
  );
  const header = ['label', 'rules', 'sessions', 'paused or killed', 'killed', 'before the last harm'];
  const rest = [
    ...(labels.unlabelled > 0 ? [`sessions without a label: ${number(labels.unlabelled)}`] : []),
    ...(labels.unused > 0 ? [`labels of sessions that are not in the events: ${number(labels.unused)}`] : []),
  ];
  return [...table([header, ...rows], colors), ...rest];
}

/** `12 of 300, 4.0 % (2.3 to 6.9)` */
export function shareText(share: Share | undefined): string {
  if (share === undefined) return '';
  const { count, of, low, high } = share;
  const bound = (value: number) => (value * 100).toFixed(1);
  return `${number(count)} of ${number(of)}, ${percent(count / of)} (${bound(low)} to ${bound(high)})`;
}

function notable(report: Report, colors: Colors): string[] {
  const shown = report.notable.slice(0, SHOWN_MAX);
  if (shown.length === 0) return [];
  const what = report.rules.old === undefined ? 'Sessions that are not clear' : 'Sessions that change';
  const count = report.notableTotal > shown.length ? ` (${shown.length} of ${number(report.notableTotal)})` : '';
  return [colors.bold(`${what}${count}`), ...shown.flatMap((session) => about(session, report.sources))];
}

function about(judged: JudgedSession, sources: readonly string[]): string[] {
  const { session, role, outcome } = judged;
  const levels = sidesOf(outcome).map((side) => LEVEL_WORDS[outcome[side]!.level]);
  const causes = sidesOf(outcome).flatMap((side) => {
    const cause = decisiveCause(outcome[side]!);
    if (cause === undefined) return [];
    const { rule, reason, event, place } = cause;
    const at = `event ${number(event)}, ${shown(placeText(sources, place))}`;
    return [`    ${side}: ${rule}: ${plainText(reason, REASON_MAX)} (${at})`];
  });
  return [`  ${levels.join(' -> ')}  ${plainText(session, ID_MAX)}  ${plainText(role, ID_MAX)}`, ...causes];
}

/** `30 -> 12`, or the one number where both sides say the same or one does not take part. */
function change({ rules }: Report, before: number | undefined, after: number | undefined): string {
  if (rules.old === undefined || before === after) return number(after ?? 0);
  return `${before === undefined ? '' : number(before)} -> ${after === undefined ? '' : number(after)}`.trim();
}

/** The first column to the left, the others to the right. */
function table(rows: readonly string[][], colors: Colors): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row, index) => {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)));
    const line = cells.join('  ').trimEnd();
    return index === 0 ? colors.bold(line) : line;
  });
}

export function number(value: number): string {
  return value.toLocaleString('en');
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Text of anybody, without what would change how the text around it looks, and not endless. */
export function shown(text: string): string {
  return plainText(text, TEXT_MAX);
}

import type { Report } from '../../app/backtest/report.ts';
import { type BySide, sidesOf } from '../../app/backtest/sides.ts';
import { LEVELS, type Level, levelRank } from '../../domain/level.ts';
import { type Html, html } from '../page/html.ts';
import { changeBar, stackedBar, swatch } from './charts.ts';
import { LEVEL_WORDS, number, percent, RAISED, shown } from './text.ts';

/** A table that scrolls by itself where the window is narrow. */
export function table(header: readonly Html[], rows: readonly Html[]): Html {
  return html`<div class="scroll"><table><thead><tr>${header}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

const th = (text: string) => html`<th scope="col">${text}</th>`;
const thn = (text: string) => html`<th scope="col" class="n">${text}</th>`;
const td = (content: Html | string) => html`<td>${content}</td>`;
const tdn = (text: string) => html`<td class="n">${text}</td>`;

/** Old and new in one cell; one number where they are the same. */
function change({ rules }: Report, before: number | undefined, after: number | undefined): Html {
  if (rules.old === undefined || before === after) return html`<td class="n same">${number(after ?? 0)}</td>`;
  const text = (count: number | undefined) => (count === undefined ? '–' : number(count));
  return html`<td class="n moved">${text(before)} → ${text(after)}</td>`;
}

export function levels(report: Report): Html {
  const raised = (of: Record<Level, number>) => RAISED.reduce((sum, level) => sum + of[level], 0);
  const full = Math.max(1, ...sidesOf(report.levels).map((side) => raised(report.levels[side]!)));
  const rows = sidesOf(report.levels).map((side) => {
    const of = report.levels[side]!;
    const parts = RAISED.map((level) => ({ ink: level, value: of[level] }));
    const description = RAISED.map((level) => `${of[level]} ${LEVEL_WORDS[level]}`).join(', ');
    const counts = LEVELS.map((level) => tdn(number(of[level])));
    return html`<tr><th scope="row">${side}</th>${counts}${td(stackedBar(parts, full, description))}</tr>`;
  });
  const keys = RAISED.map((level) => html`<span class="key">${swatch(level)}${LEVEL_WORDS[level]}</span>`);
  return html`<section><h2>Sessions by the highest level that they reach</h2>
${table([th('rules'), ...LEVELS.map((level) => thn(LEVEL_WORDS[level])), th('not clear')], rows)}
<p class="soft">${keys}</p></section>`;
}

/** Which level became which. Off the diagonal stands what changes. */
export function moves(report: Report): Html {
  if (report.rules.old === undefined) return html``;
  const rows = LEVELS.map((from) => {
    const cells = LEVELS.map((to) => {
      const count = report.moves[from][to];
      const direction = levelRank(to) - levelRank(from);
      if (direction === 0 || count === 0) return html`<td class="n same">${number(count)}</td>`;
      return html`<td class="n moved">${direction > 0 ? '▲' : '▼'} ${number(count)}</td>`;
    });
    return html`<tr><th scope="row">old: ${LEVEL_WORDS[from]}</th>${cells}</tr>`;
  });
  return html`<section><h2>What became of them</h2>
${table([th(''), ...LEVELS.map((level) => thn(`new: ${LEVEL_WORDS[level]}`))], rows)}</section>`;
}

const stops = (of: Record<Level, number> | undefined) => (of === undefined ? 0 : of.paused + of.killed);

/** The header and the last cells that rules and roles have in common. */
function differences(
  report: Report,
  of: readonly Partial<BySide<Record<Level, number>>>[],
): { header: Html[]; cells: Html[][] } {
  const compares = report.rules.old !== undefined;
  const most = Math.max(1, ...of.map((sides) => Math.abs(stops(sides.new) - stops(sides.old))));
  const header = [
    ...RAISED.map((level) => thn(LEVEL_WORDS[level])),
    ...(compares ? [th('paused or killed: fewer | more')] : []),
  ];
  const cells = of.map((sides) => [
    ...RAISED.map((level) => change(report, sides.old?.[level], sides.new?.[level])),
    ...(compares ? [td(changeBar(stops(sides.new) - stops(sides.old), most))] : []),
  ]);
  return { header, cells };
}

export function rules(report: Report): Html {
  const sessions = report.byRule.map(({ sides }) => {
    const of: Partial<BySide<Record<Level, number>>> = {};
    for (const side of sidesOf(report.rules)) if (sides[side] !== undefined) of[side] = sides[side].sessions;
    return of;
  });
  const { header, cells } = differences(report, sessions);
  const rows = report.byRule.map(({ rule, sides }, index) => {
    const notes = [
      ...(report.rules.old !== undefined && sides.old === undefined ? ['added'] : []),
      ...(sides.new === undefined ? ['gone'] : []),
      ...((sides.new ?? sides.old)?.mode === 'shadow' ? ['shadow: would have'] : []),
      ...(sides.new?.events === 0 ? ['matched nothing'] : []),
    ];
    const note = notes.length === 0 ? html`` : html` <span class="soft">${notes.join(', ')}</span>`;
    const events = change(report, sides.old?.events, sides.new?.events);
    return html`<tr><td class="id"><code>${rule}</code>${note}</td>${events}${cells[index]!}</tr>`;
  });
  return html`<section><h2>By rule</h2>
<p class="soft">A session counts at each rule that raised it, at the highest level to which that rule did.</p>
${table([th('rule'), thn('events that match'), ...header], rows)}</section>`;
}

export function roles(report: Report): Html {
  const { header, cells } = differences(
    report,
    report.byRole.map(({ levels }) => levels),
  );
  const rows = report.byRole.map(({ role, sessions, events, chosen }, index) => {
    return html`<tr><td class="id">${shown(role)}</td>${tdn(number(sessions))}${tdn(percent(chosen.new / events))}${cells[index]!}</tr>`;
  });
  return html`<section><h2>By agent role</h2>
${table([th('role'), thn('sessions'), thn('events seen'), ...header], rows)}</section>`;
}

/** Where the rules are blind. */
export function actions(report: Report): Html {
  const most = Math.max(1, ...report.byAction.map(({ events }) => events));
  const rows = report.byAction.map(({ action, events, covered, chosen }) => {
    const parts = [
      { ink: 'seen' as const, value: chosen.new },
      { ink: 'faint' as const, value: covered.new - chosen.new },
    ];
    const bar = stackedBar(parts, most, `${chosen.new} of ${events} seen`);
    const old = chosen.old === undefined ? [] : [tdn(percent(chosen.old / events))];
    return html`<tr><td>${action}</td>${tdn(number(events))}${old}${tdn(percent(chosen.new / events))}${td(bar)}</tr>`;
  });
  const old = report.rules.old === undefined ? [] : [thn('seen by the old')];
  return html`<section><h2>What the rules see of each action</h2>
<p class="soft">${swatch('seen')}passes the match of a new rule that names what it looks for; ${swatch('faint')}only of rules that take every event.</p>
${table([th('action'), thn('events'), ...old, thn('seen by the new'), th('')], rows)}</section>`;
}

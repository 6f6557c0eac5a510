import type { Share } from '../../app/backtest/labels.ts';
import { decisiveCause, type JudgedSession } from '../../app/backtest/outcome.ts';
import { placeText, type Report } from '../../app/backtest/report.ts';
import { sidesOf } from '../../app/backtest/sides.ts';
import { levelRank } from '../../domain/level.ts';
import { type Html, html } from '../page/html.ts';
import { interval } from './charts.ts';
import { table } from './page-tables.ts';
import { LEVEL_WORDS, number, shareText, shown } from './text.ts';

/** What the rules did against what people know. Nothing without labels: then nobody knows. */
export function labelled(report: Report): Html {
  const { labels, rules } = report;
  if (labels === undefined) return html``;
  const share = (of: Share | undefined) =>
    of === undefined ? html`<td></td>` : html`<td>${interval(of, shareText(of))}<br>${shareText(of)}</td>`;
  const rows = labels.rows.flatMap(({ label, sessions, sides }) =>
    sidesOf(rules).map((side) => {
      const { stopped, killed, inTime } = sides[side]!;
      const cells = [stopped, killed, inTime].map(share);
      return html`<tr><td class="id">${shown(label)}</td><td>${side}</td><td class="n">${number(sessions)}</td>${cells}</tr>`;
    }),
  );
  const names = ['label', 'rules', 'sessions', 'paused or killed', 'killed', 'stopped before the last harm'];
  return html`<section><h2>Against the labels</h2>
<p class="soft">Shares with their 95 % interval (Wilson). Sessions without a label: ${number(labels.unlabelled)}. Labels of sessions that are not in the events: ${number(labels.unused)}.</p>
${table(
  names.map((name) => html`<th scope="col">${name}</th>`),
  rows,
)}</section>`;
}

export function notable(report: Report): Html {
  const { notable, notableTotal, rules } = report;
  const compares = rules.old !== undefined;
  const title = compares ? 'Sessions that end otherwise' : 'Sessions that are not clear';
  if (notableTotal === 0) return html`<section><h2>${title}</h2><p>None.</p></section>`;
  const count = notable.length < notableTotal ? `The ${number(notable.length)} largest of ` : 'All ';
  const names = [compares ? 'old → new' : 'level', 'session', 'role', 'why'];
  return html`<section><h2>${title}</h2>
<p class="soft">${count}${number(notableTotal)}; --out writes all sessions.</p>
${table(
  names.map((name) => html`<th scope="col">${name}</th>`),
  notable.map((session) => row(session, report)),
)}</section>`;
}

function row({ session, role, outcome }: JudgedSession, { sources }: Report): Html {
  const words = sidesOf(outcome).map((side) => LEVEL_WORDS[outcome[side]!.level]);
  const rise = levelRank(outcome.new.level) - levelRank(outcome.old?.level ?? 'clear');
  const causes = sidesOf(outcome).flatMap((side) => {
    const cause = decisiveCause(outcome[side]!);
    if (cause === undefined) return [];
    const { rule, reason, event, place } = cause;
    const at = shown(placeText(sources, place));
    return [
      html`<p>${side}: <code>${rule}</code> ${shown(reason)} <span class="soft">event ${number(event)}, <code>${at}</code></span></p>`,
    ];
  });
  return html`<tr><td class="level">${rise > 0 ? '▲' : '▼'} ${words.join(' → ')}</td><td class="id"><code>${shown(session)}</code></td><td class="id">${shown(role)}</td><td>${causes}</td></tr>`;
}

import type { Report } from '../../app/backtest/report.ts';
import { sidesOf } from '../../app/backtest/sides.ts';
import { formatInstant } from '../../domain/instant.ts';
import { pageText } from '../page/document.ts';
import { type Html, html } from '../page/html.ts';
import { patterns } from './charts.ts';
import { labelled, notable } from './page-sessions.ts';
import { actions, levels, moves, roles, rules } from './page-tables.ts';
import { number, percent, shown } from './text.ts';

/** The report as one file to be mailed. */
export function backtestPage(report: Report, version: string): string {
  const title = `Backtest of ${shown(report.rules.new.name)}`;
  return pageText({
    title,
    header: html`${patterns()}${head(report, title)}`,
    main: [
      levels(report),
      moves(report),
      rules(report),
      roles(report),
      labelled(report),
      notable(report),
      actions(report),
    ],
    footer: foot(report, version),
  });
}

function head(report: Report, title: string): Html {
  const { coverage, sessions, higher, lower, rules, firstMs, lastMs } = report;
  const { events, chosen, covered } = coverage;
  const share = (count: number) => percent(events === 0 ? 0 : count / events);
  const before = chosen.old === undefined ? '' : `; by the old ones ${share(chosen.old)}`;
  const time = events === 0 ? '' : `, ${formatInstant(firstMs)} to ${formatInstant(lastMs)}`;
  const figures = [
    html`<li><b>${share(chosen.new)}</b> of the events pass the <code>match</code> of a new rule that names what it looks for${before}. What passes none can never count.</li>`,
    html`<li><b>${share(covered.new)}</b> pass the match of any new rule, also of those that take every event</li>`,
    rules.old === undefined
      ? html`<li><b>${number(report.notableTotal)}</b> of ${number(sessions)} sessions are watched, paused or killed</li>`
      : html`<li><b>${number(higher + lower)}</b> of ${number(sessions)} sessions end otherwise: ▲ ${number(higher)} higher, ▼ ${number(lower)} lower</li>`,
  ];
  return html`<h1>${title}${rules.old === undefined ? '' : ` against ${shown(rules.old.name)}`}</h1>
<p class="soft">${number(events)} events of ${number(sessions)} sessions${time}</p>
${incomplete(report)}
<ul class="figures">${figures}</ul>`;
}

function incomplete({ complete, read, unusable, refused }: Report): Html[] {
  const share = read.share === undefined ? '' : `, ${percent(read.share)} of the input`;
  const count = refused.reduce((sum, one) => sum + one.count, 0);
  const examples = unusable.map(({ at, reason }) => html`<br><code>${shown(at)}</code> ${shown(reason)}`);
  return [
    ...(complete
      ? []
      : [
          html`<p class="warning">Interrupted at <code>${shown(read.at)}</code>${share}: all numbers are of what came before.</p>`,
        ]),
    ...(count === 0
      ? []
      : [html`<p class="warning">${number(count)} records could not be used and were not judged.${examples}</p>`]),
  ];
}

function foot({ rules, sources }: Report, version: string): Html {
  const sides = sidesOf(rules).map((side) => {
    const { name, hash, rules: count } = rules[side]!;
    return html`<p>${side} rules: ${number(count)} in <code>${shown(name)}</code>, policy <code>${hash}</code></p>`;
  });
  return html`${sides}
<p>events: ${sources.map((name) => html`<code>${shown(name)}</code> `)}</p>
<p class="soft">Firebreak ${version}. A session is counted at the highest level that it reached. Nothing here says which of the
two is right; that is what labels are for.</p>`;
}

import type { EvidenceCourse } from '../app/explain/evidence-course.ts';
import type { Explanation, StopExplained, ToldStep } from '../app/explain/explanation.ts';
import { CONDITIONS, LEVEL_OF } from '../domain/level.ts';
import { shown } from './backtest/text.ts';
import { pageText } from './page/document.ts';
import { type Html, html } from './page/html.ts';
import { type Line, lineChart } from './page/line-chart.ts';

/** Of the steps that were needed so many are named; --json has all. */
const NAMED = 8;

const INK = { watch: 'watch', pause: 'paused', kill: 'killed' } as const;

/** The explanation as one file with pictures: how the numbers grew towards their bounds, and the steps that mattered. */
export function explainPage(told: Explanation, course: EvidenceCourse | undefined, version: string): string {
  const { session, agent, actions, level, first, last, unjudged } = told;
  const title = `Session ${shown(session)}`;
  const role = agent.role === undefined ? '' : `, ${shown(agent.role)}`;
  const header = html`<h1>${title}</h1>
<p class="soft">${shown(agent.id)}${role}: ${actions} actions, ${first.time} to ${last.time}; it stands at <b>${level}</b></p>
${unjudged === 0 ? undefined : html`<p class="warning">${unjudged} actions were judged by no policy: what began it is not in what was read.</p>`}`;
  const main = [
    ...(course === undefined ? [] : evidenceSections(course, told)),
    ...told.timelines.map((timeline) => ruleSection(timeline, told)),
    ...told.stops.map(stopSection),
  ];
  const footer = html`<p class="soft">Firebreak ${version}. Judged again from the log by the engine of the service; what would have spared the session was tried.</p>`;
  return pageText({ title, header, main, footer });
}

function stopSection({
  level,
  rule,
  step,
  silentUntil,
  reason,
  thresholds,
  steps,
  command,
  evidence,
}: StopExplained): Html {
  const spared = thresholds.map(
    ({ score, operator, was, threshold }) =>
      html`<li><code>${score} ${operator} ${threshold}</code> instead of <code>${was}</code></li>`,
  );
  const rows = evidence.map(
    ({ eventId, time, tool, resource, contribution }) =>
      html`<tr><td>${time}</td><td>${shown(tool)}</td><td class="id">${shown(resource ?? '')}</td><td class="n">${Number(contribution.toPrecision(3))}</td><td class="id"><code>${shown(eventId)}</code></td></tr>`,
  );
  return html`<section><h2>${level} by ${rule.title} (<code>${rule.id}</code>) ${silentUntil === null ? 'at' : 'after'} action ${step.number}</h2>
<p>${shown(reason)}</p>
${command === undefined ? undefined : html`<p class="soft">command <code>${command}</code></p>`}
${spared.length === 0 ? undefined : html`<p>It would have been spared by:</p><ul>${spared}</ul>`}
${steps.steps.length === 0 ? undefined : html`<p>Without these ${steps.steps.length} steps it would not have fired: ${steps.steps.slice(0, NAMED).map(stepText).join('; ')}${steps.steps.length > NAMED ? '; …' : ''}</p>`}
<div class="scroll"><table><caption>Steps that count, the newest kept</caption><thead><tr><th>time</th><th>tool</th><th>resource</th><th class="n">adds</th><th>event</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function stepText({ number, tool, resource }: ToldStep): string {
  return shown(`${number} ${tool}${resource === undefined ? '' : ` ${resource}`}`);
}

function evidenceSections({ thresholds, intents }: EvidenceCourse, { stops }: Explanation): Html[] {
  const places = intents[0]?.values.map((_, i) => i + 1) ?? [];
  const bounds: Line[] = CONDITIONS.flatMap((condition) => {
    const { c } = thresholds[condition];
    return c === undefined ? [] : [{ ink: INK[condition], name: condition, values: places.map(() => c) }];
  });
  return intents.map(({ intent, title, values }) => {
    const dots = stops
      .filter(({ rule }) => rule.id === intent)
      .map(({ step: { number }, level }) => ({
        at: number - 1,
        value: values[number - 1]!,
        text: `${level} at ${number}`,
      }));
    const description = `evidence of ${intent} over ${places.length} actions, in nats`;
    const lines: Line[] = [...bounds, { ink: 'seen', name: intent, values }];
    return html`<section><h2>${title} (<code>${intent}</code>)</h2><p class="soft">${description}</p>${lineChart({ description, places, lines, dots })}</section>`;
  });
}

function ruleSection({ rule, when, fired, rows }: Explanation['timelines'][number], { stops }: Explanation): Html {
  if (rows.length === 0) return html``;
  const places = rows.map(({ number }) => number);
  const compared = (condition: (typeof CONDITIONS)[number]) =>
    rows.map(({ bounds }) => bounds.find((bound) => bound.condition === condition)?.compared[0]);
  const [scored] = CONDITIONS.filter((condition) => when[condition] !== undefined);
  const scores = scored === undefined ? [] : compared(scored).map((one) => one?.score);
  const lines: Line[] = [
    ...CONDITIONS.filter((condition) => when[condition] !== undefined).map((condition) => ({
      ink: INK[condition],
      name: condition,
      values: compared(condition).map((one) => one?.threshold),
    })),
    { ink: 'seen', name: 'value', values: scores },
  ];
  const dots = stops
    .filter((stop) => stop.rule.id === rule)
    .flatMap(({ step: { number }, silentUntil, level }) => {
      const at = rows.findIndex((row) => row.number === number && (silentUntil === null || row.time === silentUntil));
      const text = `${level} ${silentUntil === null ? 'at' : 'after'} action ${number}`;
      return at < 0 ? [] : [{ at, value: scores[at] ?? 0, text }];
    });
  const description = `${rule} over the ${rows.length} actions that it looks at`;
  const conditions = CONDITIONS.filter((condition) => when[condition] !== undefined).map(
    (condition) => html`<li>${LEVEL_OF[condition]} when <code>${String(when[condition])}</code></li>`,
  );
  return html`<section><h2>${fired ? '' : 'Nearest: '}<code>${rule}</code></h2><ul>${conditions}</ul>${lineChart({ description, places, lines, dots })}</section>`;
}

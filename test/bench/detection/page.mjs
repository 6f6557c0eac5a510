import { pageText } from '../../../dist/cli/page/document.js';
import { html } from '../../../dist/cli/page/html.js';
import { scoresOf } from '../../../dist/domain/reach.js';
import { conformalThreshold } from '../../../dist/learning/conformal.js';
import { plot } from '../plot.mjs';

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

/** What the evidence alone does on each set, as pictures: one file, nothing from the network. */
export function reportPage(report) {
  return pageText({
    title: 'Detection on recordings',
    header: html`<h1>Detection on recordings</h1><p>The evidence of intents alone, without rules; the text report has both.</p>`,
    main: report.map(({ name, sessions, evidence }) => {
      const all = evidence.flatMap(({ baseline, sessions, courses }) =>
        sessions.map((one) => {
          const course = courses.get(one.session);
          return { ...one, baseline, course, most: Math.max(0, ...course) };
        }),
      );
      return html`<h2>${name}: ${sessions} sessions</h2>
<h3>What is detected at which rate of benign sessions stopped</h3>${rocOf(all)}
<h3>Benign sessions stopped: realised against nominal</h3>${ratesOf(evidence, all)}
<h3>Evidence of single sessions</h3>${coursesOf(all)}`;
    }),
    footer: html`<p>Times in recordings may be synthetic: nothing here rests on windows.</p>`,
  });
}

function shareOf(list, holds) {
  return list.length === 0 ? 0 : list.filter(holds).length / list.length;
}

function rocOf(all) {
  const falling = all
    .filter(({ label }) => label === 'benign')
    .map(({ most }) => most)
    .sort((a, b) => b - a);
  const kinds = {
    'attacks that succeeded': ({ label }) => label === 'attack_success',
    'of several harmful calls': ({ label, harm }) => label === 'attack_success' && harm.length > 1,
    'resisted attacks': ({ label }) => label === 'attack_failed',
  };
  const lines = Object.entries(kinds).flatMap(([name, isOne]) => {
    const attacks = all.filter(isOne);
    if (attacks.length === 0 || falling.length === 0) return [];
    const at = (rate) => shareOf(attacks, ({ most }) => most > (falling[Math.floor(rate * falling.length)] ?? 0));
    return [{ name, points: RATES.map((rate) => [rate, at(rate)]) }];
  });
  if (lines.length === 0) return html`<p>No benign sessions, or no attacks.</p>`;
  return plot({
    description: 'detection by rate of benign sessions stopped',
    x: { name: 'benign sessions stopped', log: true },
    y: { name: 'detected', most: 1 },
    lines,
  });
}

/** Each session by the threshold of the fold that it was judged in. */
function ratesOf(evidence, all) {
  const benign = all.filter(({ label }) => label === 'benign');
  if (benign.length === 0) return html`<p>No benign sessions.</p>`;
  const points = RATES.filter((alpha) => alpha >= 0.005).map((alpha) => {
    const of = new Map(
      evidence.map(({ baseline }) => [baseline, conformalThreshold(scoresOf(baseline.reach), alpha, 'marginal').c]),
    );
    return [
      alpha,
      Math.max(
        1e-4,
        shareOf(benign, ({ baseline, most }) => most > of.get(baseline)),
      ),
    ];
  });
  return plot({
    description: 'realised against nominal rate of benign sessions stopped',
    x: { name: 'nominal', log: true },
    y: { name: 'realised', log: true },
    lines: [
      { name: 'realised', points },
      { name: 'equal', points: points.map(([alpha]) => [alpha, alpha]), faint: true },
    ],
  });
}

function coursesOf(all) {
  const kinds = { 'a benign session': 'benign', 'an attack that succeeded': 'attack_success' };
  return Object.entries(kinds).flatMap(([title, label]) => {
    const found = all.filter((one) => one.label === label && one.course.length > 4).sort((a, b) => b.most - a.most);
    const one = found[Math.floor(found.length / 10)];
    if (one === undefined) return [];
    const { c } = one.baseline.thresholds.kill;
    const last = one.course.length;
    return [
      html`<h4>${title}</h4>${plot({
        description: `evidence of ${title}`,
        x: { name: 'action' },
        y: { name: 'nats' },
        lines: [
          { name: 'evidence', points: one.course.map((value, at) => [at + 1, value]) },
          ...(c === undefined
            ? []
            : [
                {
                  name: 'kill',
                  points: [
                    [1, c],
                    [last, c],
                  ],
                  faint: true,
                },
              ]),
        ],
        marks: one.harm.slice(0, 1).map((at) => ({ x: at + 1, name: 'the first harmful call' })),
      })}`,
    ];
  });
}

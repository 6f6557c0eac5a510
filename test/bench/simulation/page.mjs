import { pageText } from '../../../dist/cli/page/document.js';
import { html } from '../../../dist/cli/page/html.js';
import { plot } from '../plot.mjs';
import { RECOMMENDED } from './methods.mjs';
import { byWorld, meanOf, reportText } from './report.mjs';
import { NOMINAL } from './seed.mjs';

/** The same as the text, with its plots: one file, nothing from the network. */
export function reportPage(results) {
  const worlds = [...byWorld(results)].map(([world, all]) => {
    const each = all.map(({ families }) => families[RECOMMENDED].plain).filter(({ roc }) => roc !== undefined);
    if (each.length === 0) return html``;
    return html`<h2>World: ${world}</h2>
<h3>What is detected at which rate of false kills, by attack</h3>${rocOf(each)}
<h3>False kills: realised against nominal</h3>${ratesOf(each)}
<h3>Evidence of single sessions</h3>${each[0].courses.map(courseOf)}`;
  });
  return pageText({
    title: 'Evidence in simulated worlds',
    header: html`<h1>Evidence in simulated worlds</h1><p>${results.length} seeds. The recommended design is the engine's own code.</p>`,
    main: [html`<pre>${reportText(results)}</pre>`, ...worlds],
    footer: html`<p>Simulation is no evidence from the field.</p>`,
  });
}

function rocOf(each) {
  const lines = Object.keys(each[0].roc).map((attack) => ({
    name: attack,
    points: each[0].roc[attack].map(([rate], at) => [rate, meanOf(each.map(({ roc }) => roc[attack][at][1]))]),
  }));
  return plot({
    description: 'detection by rate of false kills',
    x: { name: 'false kills', log: true },
    y: { name: 'detected', most: 1 },
    lines,
  });
}

function ratesOf(each) {
  const realised = NOMINAL.map((alpha, at) => [alpha, meanOf(each.map(({ nominal }) => Math.max(nominal[at], 1e-5)))]);
  return plot({
    description: 'realised against nominal rate of false kills',
    x: { name: 'nominal', log: true },
    y: { name: 'realised', log: true },
    lines: [
      { name: 'realised', points: realised },
      { name: 'equal', points: NOMINAL.map((alpha) => [alpha, alpha]), faint: true },
      { name: '1.3 times', points: NOMINAL.map((alpha) => [alpha, 1.3 * alpha]), faint: true },
    ],
  });
}

function courseOf({ attack, threshold, from, points }) {
  const last = points.at(-1)[0];
  return html`<h4>${attack}</h4>${plot({
    description: `evidence of a session with the attack ${attack}`,
    x: { name: 'hours' },
    y: { name: 'nats' },
    lines: [
      { name: 'evidence', points },
      {
        name: 'kill at 0.1 %',
        points: [
          [0, threshold],
          [last, threshold],
        ],
        faint: true,
      },
    ],
    marks: [{ x: from, name: 'the attack begins' }],
  })}`;
}

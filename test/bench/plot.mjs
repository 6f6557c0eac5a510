import { html } from '../../dist/cli/page/html.js';

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 150;
const TOP = 26;
const BOTTOM = 40;
const LABEL_HEIGHT = 14;
/** The style of a page is fixed; lines are told apart by dashes and by the names at their ends. */
const INKS = ['killed', 'paused', 'watch'];
const DASHES = ['', '6 3', '2 3', '10 3 2 3'];

/**
 * Lines over two scales, as SVG for a page without a script.
 *
 * @param {{ description: string, x: Scale, y: Scale, lines: { name: string, points: [number, number][], faint?: boolean }[],
 *   marks?: { x: number, name: string }[] }} plot
 * @typedef {{ name: string, log?: boolean, most?: number }} Scale
 */
export function plot({ description, x, y, lines, marks = [] }) {
  const points = lines.flatMap((line) => line.points);
  const acrossX = scaleOf(
    x,
    points.map(([one]) => one),
    LEFT,
    WIDTH - RIGHT,
  );
  const acrossY = scaleOf(
    y,
    points.map(([, one]) => one),
    HEIGHT - BOTTOM,
    TOP,
  );
  const ends = lines.map(({ points }) => acrossY.at(points.at(-1)[1]));
  const labels = apart(ends);
  const drawn = lines.map(({ name, points, faint }, i) => {
    const path = points
      .map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${round(acrossX.at(px))} ${round(acrossY.at(py))}`)
      .join('');
    const ink = faint ? 'seen' : INKS[i % 3];
    const dash = faint ? '1 4' : DASHES[Math.floor(i / 3) % 4];
    return html`<path class="line line-${ink}" stroke-dasharray="${dash}" d="${path}"/><text class="label" x="${WIDTH - RIGHT + 6}" y="${round(labels[i] + 4)}">${name}</text>`;
  });
  const pointed = marks.map(({ x: at, name }) => {
    const px = round(acrossX.at(at));
    return html`<path class="axis" d="M${px} ${TOP}V${HEIGHT - BOTTOM}"/><text class="label" x="${px + 4}" y="${TOP + 10}">${name}</text>`;
  });
  const ticksX = acrossX.ticks.map(
    (one) =>
      html`<text class="label" text-anchor="middle" x="${round(acrossX.at(one))}" y="${HEIGHT - BOTTOM + 16}">${shown(one)}</text>`,
  );
  const ticksY = acrossY.ticks.map(
    (one) =>
      html`<text class="label" text-anchor="end" x="${LEFT - 6}" y="${round(acrossY.at(one) + 4)}">${shown(one)}</text>`,
  );
  const names = html`<text class="label" text-anchor="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">${x.name}</text><text class="label" x="4" y="12">${y.name}</text>`;
  return html`<svg class="bar" role="img" aria-label="${description}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><path class="axis" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>${drawn}${pointed}${ticksX}${ticksY}${names}</svg>`;
}

function scaleOf({ log = false, most }, values, from, to) {
  const least = log ? Math.min(...values) : Math.min(0, ...values);
  const largest = most ?? (log ? Math.max(...values) : Math.max(1e-9, ...values) * 1.05);
  const place = log ? Math.log : (value) => value;
  const span = place(largest) - place(least);
  const at = (value) => from + ((place(value) - place(least)) / span) * (to - from);
  const ticks = log
    ? decades(least, largest)
    : [0, 0.25, 0.5, 0.75, 1].map((share) => least + share * (largest - least));
  return { at, ticks };
}

function decades(least, largest) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(largest)); power++)
    for (const digit of [1, 3]) {
      const one = digit * 10 ** power;
      if (one >= least * 0.999 && one <= largest * 1.001) ticks.push(one);
    }
  return ticks;
}

/** Names at the ends of lines, moved so far that none lies on another. */
function apart(places) {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const moved = [...places];
  for (let at = 1; at < order.length; at++)
    moved[order[at]] = Math.max(moved[order[at]], moved[order[at - 1]] + LABEL_HEIGHT);
  const below = Math.max(0, ...moved.map((place) => place - (HEIGHT - BOTTOM)));
  return moved.map((place) => place - below);
}

function round(value) {
  return Number(value.toFixed(1));
}

function shown(value) {
  return Number(value.toPrecision(2)).toString();
}

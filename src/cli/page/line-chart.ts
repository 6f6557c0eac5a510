import { type Html, html } from './html.ts';

export interface Line {
  /** Class of the style sheet. */
  ink: 'seen' | 'watch' | 'paused' | 'killed';
  name: string;
  /** One for each place on the x axis; undefined where there is none. */
  values: readonly (number | undefined)[];
}

export interface LineChart {
  /** Read aloud in place of the picture. */
  description: string;
  /** What each place on the x axis is called, such as the number of an action. */
  places: readonly number[];
  lines: readonly Line[];
  /** Places at which something is to be pointed at (`at` is the index of one), with what hovering says. */
  dots: readonly { at: number; value: number; text: string }[];
}

const WIDTH = 760;
const HEIGHT = 180;
const LEFT = 56;
const RIGHT = 96;
const TOP = 10;
const BOTTOM = 24;

/** Steps over places, because a value holds until the next one. Names stand at the right end of each line. */
export function lineChart({ description, places, lines, dots }: LineChart): Html {
  const all = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const most = Math.max(1e-9, ...all) * 1.08;
  const wide = (WIDTH - LEFT - RIGHT) / Math.max(places.length - 1, 1);
  const x = (at: number) => LEFT + at * wide;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
  const round = (value: number) => Number(value.toFixed(1));
  const drawn = lines.map(({ ink, name, values }) => {
    const path = pathOf(values, (at, value) => `${round(x(at))} ${round(y(value))}`);
    const last = values.findLast((value) => value !== undefined);
    const label =
      last === undefined
        ? undefined
        : html`<text class="label" x="${WIDTH - RIGHT + 6}" y="${round(y(last) + 4)}">${name}</text>`;
    return html`<path class="line line-${ink}" d="${path}"/>${label}`;
  });
  const pointed = dots.map(
    ({ at, value, text }) =>
      html`<circle class="dot" cx="${round(x(at))}" cy="${round(y(value))}" r="4"><title>${text}</title></circle>`,
  );
  const scale = [0, most / 1.08].map(
    (value) =>
      html`<text class="label" text-anchor="end" x="${LEFT - 6}" y="${round(y(value) + 4)}">${Number(value.toPrecision(3))}</text>`,
  );
  const ends = [places[0], places.at(-1)].map(
    (place, end) =>
      html`<text class="label" text-anchor="${end === 0 ? 'start' : 'end'}" x="${end === 0 ? LEFT : WIDTH - RIGHT}" y="${HEIGHT - 6}">action ${place}</text>`,
  );
  return html`<svg class="bar" role="img" aria-label="${description}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><path class="axis" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>${drawn}${pointed}${scale}${ends}</svg>`;
}

function pathOf(values: readonly (number | undefined)[], point: (at: number, value: number) => string): string {
  let path = '';
  let before: number | undefined;
  for (const [at, value] of values.entries()) {
    if (value === undefined) before = undefined;
    else {
      path += before === undefined ? `M${point(at, value)}` : `L${point(at, before)}L${point(at, value)}`;
      before = value;
    }
  }
  return path;
}

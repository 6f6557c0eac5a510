import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { colorsOf, type Dashboard, type Panel, withoutVariables } from './panel.ts';

export interface Span {
  prometheus: string;
  startS: number;
  endS: number;
}

interface Line {
  name: string;
  labels: Record<string, string>;
  points: [atS: number, value: number][];
}

const WIDTH = 1400;
/** Title and margins of the page, and of a row. */
const TITLES = { page: 72, row: 36 };
const ROW_HEIGHTS = { number: 120, table: 200, lines: 240, stacked: 240 };
const RATE_INTERVAL = '1m';
const STEPS = 120;
const OTHERS = [
  '#3274d9',
  '#e0752d',
  '#37872d',
  '#c4162a',
  '#8f3bb8',
  '#fade2a',
  '#5794f2',
  '#a352cc',
  '#96d98d',
  '#ff9830',
];

/** Writes the dashboard to `file` as a PNG, with the data of that span, by a browser: Debian's `chromium`. */
export async function draw(dashboard: Dashboard, span: Span, file: string): Promise<void> {
  const { html, height } = await page(dashboard, span);
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-picture-'));
  const source = join(folder, 'page.html');
  writeFileSync(source, html);
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--window-size=${WIDTH},${height}`,
  ];
  execFileSync('chromium', [...options, `--screenshot=${file}`, `file://${source}`], { stdio: 'ignore' });
  rmSync(folder, { recursive: true });
}

/** As a page of its own. */
async function page(dashboard: Dashboard, span: Span): Promise<{ html: string; height: number }> {
  let body = '';
  let height = TITLES.page;
  for (const { title, panels } of dashboard.rows) {
    const tall = Math.max(...panels.map(({ form }) => ROW_HEIGHTS[form]));
    const width = Math.floor((WIDTH - 40) / panels.length) - 10;
    const drawn = await Promise.all(panels.map((panel) => panelHtml(panel, span, { width, height: tall })));
    body += `<h2>${title}</h2><div class="row">${drawn.join('')}</div>`;
    height += tall + TITLES.row;
  }
  return {
    html: `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${dashboard.title}</h1>${body}`,
    height,
  };
}

const STYLE = `body{margin:20px;width:${WIDTH - 40}px;background:#111217;color:#ccccdc;font:13px 'DejaVu Sans',sans-serif}
h1{font-size:20px;margin:0 0 8px}h2{font-size:13px;margin:12px 0 6px;color:#8e8ea0}.row{display:flex;gap:10px}
.panel{background:#181b1f;border:1px solid #2c3235;border-radius:3px;padding:8px;box-sizing:border-box;overflow:hidden}
.panel b{font-size:12px}.number{font-size:34px;text-align:center;margin-top:18px}.empty{color:#8e8ea0}.legend{font-size:10px;color:#a0a0b0}
table{font-size:11px;border-collapse:collapse;margin-top:6px}td,th{padding:2px 8px;text-align:left;border-bottom:1px solid #2c3235}
text{fill:#8e8ea0;font-size:10px}`;

interface Size {
  width: number;
  height: number;
}

async function panelHtml(panel: Panel, span: Span, size: Size): Promise<string> {
  const lines = (await Promise.all(panel.queries.map((query) => ask(panel, query, span)))).flat();
  const style = `width:${size.width}px;height:${size.height}px`;
  const inside =
    lines.length === 0
      ? `<p class="empty">${panel.empty ?? 'No data'}</p>`
      : { number, table, lines: chart, stacked: chart }[panel.form](panel, lines, size, span);
  return `<div class="panel" style="${style}"><b>${panel.title}</b>${inside}</div>`;
}

async function ask({ form }: Panel, { expr, legend }: Panel['queries'][number], span: Span): Promise<Line[]> {
  const query = encodeURIComponent(withoutVariables(expr, RATE_INTERVAL));
  const now = form === 'number' || form === 'table';
  const path = now
    ? `query?query=${query}&time=${span.endS}`
    : `query_range?query=${query}&start=${span.startS}&end=${span.endS}&step=${stepOf(span)}`;
  const { data } = (await (await fetch(`${span.prometheus}/api/v1/${path}`)).json()) as {
    data: { result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[] };
  };
  return data.result.map(({ metric, value, values }) => ({
    name: legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
    labels: metric,
    points: (values ?? [value!])
      .map(([at, text]): [number, number] => [at, Number(text)])
      .filter(([, number]) => Number.isFinite(number)),
  }));
}

function number({ unit, thresholds }: Panel, [line]: Line[]): string {
  const value = line!.points[0]?.[1] ?? 0;
  const color =
    thresholds === undefined || value < thresholds[0] ? '#73bf69' : value < thresholds[1] ? '#ff9830' : '#f2495c';
  return `<div class="number" style="color:${color}">${shown(value, unit)}</div>`;
}

function table({ unit, column }: Panel, lines: Line[]): string {
  const names = [...new Set(lines.flatMap(({ labels }) => Object.keys(labels)))];
  const rows = lines.slice(0, 8).map(({ labels, points }) => {
    const value = column === undefined ? [] : [shown(points[0]?.[1] ?? 0, unit)];
    const cells = [...names.map((name) => shortened(labels[name] ?? '')), ...value];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<table><tr>${[...names, ...(column === undefined ? [] : [column])].map((name) => `<th>${name}</th>`).join('')}</tr>${rows.join('')}</table>`;
}

function chart(panel: Panel, lines: Line[], { width, height }: Size, { startS, endS }: Span): string {
  const { form, unit } = panel;
  const known = colorsOf(panel);
  const colorOf = (name: string, i: number) => known[name] ?? OTHERS[i % OTHERS.length];
  const [left, bottom, top] = [52, 50, 8];
  const [w, h] = [width - left - 26, height - bottom - top - 34];
  const drawn = form === 'lines' ? lines.map(fromZero) : stacked(lines);
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  const most = axisEnd(Math.max(0, ...values), unit);
  const lowest = Math.min(0, ...values);
  const least = -lowest < most / 20 ? 0 : axisEnd(lowest, unit);
  const span = most - least || 1;
  const x = (at: number) => (left + ((at - startS) / (endS - startS)) * w).toFixed(1);
  const y = (value: number) => (top + h - ((value - least) / span) * h).toFixed(1);
  const way = (points: readonly [at: number, value: number][]) =>
    points.map(([at, value]) => `${x(at)} ${y(value)}`).join('L');
  const paths = drawn.flatMap(({ name, points }, i) =>
    unbroken(points, stepOf({ startS, endS })).map((part) => {
      const upper = way(part.map(({ at, value }) => [at, value]));
      const lower = way(part.map(({ at, from }): [number, number] => [at, from]).reverse());
      const color = colorOf(name, i);
      const area = form === 'lines' ? '' : `<path d="M${upper}L${lower}Z" fill="${color}" fill-opacity="0.4"/>`;
      return `${area}<path d="M${upper}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    }),
  );
  const grid = [0, 0.5, 1].map((part) => {
    const value = least + span * part;
    return `<line x1="${left}" x2="${left + w}" y1="${y(value)}" y2="${y(value)}" stroke="#2c3235"/><text x="2" y="${Number(y(value)) + 4}">${shown(value, unit === 'none' ? 'short' : unit)}</text>`;
  });
  const time = [startS, endS].map(
    (at, i) =>
      `<text x="${i === 0 ? left : left + w - 30}" y="${top + h + 14}">${new Date(at * 1000).toISOString().slice(11, 16)}</text>`,
  );
  const legend = drawn.slice(0, 9).map(({ name }, i) => `<span style="color:${colorOf(name, i)}">■</span> ${name}`);
  return `<svg width="${width - 20}" height="${h + top + 18}">${grid.join('')}${time.join('')}${paths.join('')}</svg><div class="legend">${legend.join(' &nbsp; ')}</div>`;
}

/** A line, or a band between what lies below it and its own height. */
interface Drawn {
  name: string;
  points: { at: number; from: number; value: number }[];
}

const fromZero = ({ name, points }: Line): Drawn => ({
  name,
  points: points.map(([at, value]) => ({ at, from: 0, value })),
});

/** Seconds between two points. */
function stepOf({ startS, endS }: Pick<Span, 'startS' | 'endS'>): number {
  return Math.max(1, Math.round((endS - startS) / STEPS));
}

/** Where a series has no value its line ends. */
function unbroken(points: Drawn['points'], stepS: number): Drawn['points'][] {
  const parts: Drawn['points'][] = [];
  for (const [i, point] of points.entries()) {
    if (i > 0 && point.at - points[i - 1]!.at <= stepS) parts.at(-1)!.push(point);
    else parts.push([point]);
  }
  return parts;
}

function stacked(lines: Line[]): Drawn[] {
  const sums = new Map<number, number>();
  return lines.map(({ name, points }) => ({
    name,
    points: points.map(([at, value]) => {
      const from = sums.get(at) ?? 0;
      sums.set(at, from + value);
      return { at, from, value: from + value };
    }),
  }));
}

/** Of a hash its beginning. */
const shortened = (text: string) => (text.length > 30 ? `${text.slice(0, 24)}…` : text);

const MIB = 1024 * 1024;

/** The next round number away from 0. */
function axisEnd(value: number, unit: Panel['unit']): number {
  if (value === 0) return 0;
  const one = unit === 'bytes' ? MIB : 1;
  const size = Math.abs(value) / one;
  const power = 10 ** Math.floor(Math.log10(size));
  const steps = [1, 2, 4, 5, 6, 8, 10].find((times) => times * power >= size * 0.999)!;
  return Math.sign(value) * steps * power * one;
}

function shown(value: number, unit: Panel['unit']): string {
  const short = (one: number) => String(Number(one.toPrecision(3)));
  if (unit === 'percentunit') return `${short(value * 100)} %`;
  if (unit === 'bytes') return `${short(value / MIB)} MiB`;
  if (unit === 's') return value < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  if (unit === 'none') return String(Math.round(value));
  const suffix = { ops: '/s', cpm: '/min', nats: ' nats', short: '' }[unit];
  return `${short(value)}${suffix}`;
}

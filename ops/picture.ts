import { type Dashboard, type Panel, withoutVariables } from './panel.ts';

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
const ROW_HEIGHTS = { number: 120, table: 200, lines: 240, stacked: 240 };
const RATE_INTERVAL = '1m';
const STEPS = 120;
const COLORS = [
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

/** The dashboard as a page of its own, with the data of that span. */
export async function page(dashboard: Dashboard, span: Span): Promise<{ html: string; height: number }> {
  let body = '';
  let height = 70;
  for (const { title, panels } of dashboard.rows) {
    const tall = Math.max(...panels.map(({ form }) => ROW_HEIGHTS[form]));
    const width = Math.floor((WIDTH - 40) / panels.length) - 10;
    const drawn = await Promise.all(panels.map((panel) => panelHtml(panel, span, { width, height: tall })));
    body += `<h2>${title}</h2><div class="row">${drawn.join('')}</div>`;
    height += tall + 64;
  }
  return {
    html: `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${dashboard.title}</h1>${body}`,
    height,
  };
}

const STYLE = `body{margin:20px;width:${WIDTH - 40}px;background:#111217;color:#ccccdc;font:13px 'DejaVu Sans',sans-serif}
h1{font-size:20px;margin:0 0 8px}h2{font-size:13px;margin:12px 0 6px;color:#8e8ea0}.row{display:flex;gap:10px}
.panel{background:#181b1f;border:1px solid #2c3235;border-radius:3px;padding:8px;box-sizing:border-box;overflow:hidden}
.panel b{font-size:12px}.number{font-size:34px;text-align:center;margin-top:18px}.legend{font-size:10px;color:#a0a0b0}
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
      ? '<p>no data</p>'
      : { number, table, lines: chart, stacked: chart }[panel.form](panel, lines, size, span);
  return `<div class="panel" style="${style}"><b>${panel.title}</b>${inside}</div>`;
}

async function ask({ form }: Panel, { expr, legend }: Panel['queries'][number], span: Span): Promise<Line[]> {
  const query = encodeURIComponent(withoutVariables(expr, RATE_INTERVAL));
  const now = form === 'number' || form === 'table';
  const step = Math.max(1, Math.round((span.endS - span.startS) / STEPS));
  const path = now
    ? `query?query=${query}&time=${span.endS}`
    : `query_range?query=${query}&start=${span.startS}&end=${span.endS}&step=${step}`;
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
  const value = line?.points[0]?.[1] ?? 0;
  const color =
    thresholds === undefined || value < thresholds[0] ? '#73bf69' : value < thresholds[1] ? '#ff9830' : '#f2495c';
  return `<div class="number" style="color:${color}">${shown(value, unit)}</div>`;
}

function table({ unit }: Panel, lines: Line[]): string {
  const names = [...new Set(lines.flatMap(({ labels }) => Object.keys(labels)))].filter(
    (one) => !['__name__', 'job'].includes(one),
  );
  const rows = lines.slice(0, 8).map(({ labels, points }) => {
    const cells = [...names.map((name) => (labels[name] ?? '').slice(0, 40)), shown(points[0]?.[1] ?? 0, unit)];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<table><tr>${[...names, 'value'].map((name) => `<th>${name}</th>`).join('')}</tr>${rows.join('')}</table>`;
}

function chart({ form, unit }: Panel, lines: Line[], { width, height }: Size, { startS, endS }: Span): string {
  const [left, bottom, top] = [46, 50, 8];
  const [w, h] = [width - left - 26, height - bottom - top - 34];
  const sums = new Map<number, number>();
  // Of what lies on one another only what is there is drawn; the legend is short then.
  const there = form === 'lines' ? lines : lines.filter(({ points }) => points.some(([, value]) => value > 0));
  const drawn = there.map((line) => ({
    ...line,
    points: line.points.map(([at, value]): [number, number] => {
      if (form === 'lines') return [at, value];
      sums.set(at, (sums.get(at) ?? 0) + value);
      return [at, sums.get(at)!];
    }),
  }));
  const largest = Math.max(...drawn.flatMap(({ points }) => points.map(([, value]) => value)));
  const most = largest > 0 ? largest : 1;
  const x = (at: number) => left + ((at - startS) / (endS - startS)) * w;
  const y = (value: number) => top + h - (value / most) * h;
  const paths = drawn.map(({ points }, i) => {
    const d = points
      .map(([at, value], n) => `${n === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`)
      .join('');
    return `<path d="${d}" fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="1.5"/>`;
  });
  const grid = [0, 0.5, 1].map((part) => {
    const at = y(most * part);
    return `<line x1="${left}" x2="${left + w}" y1="${at}" y2="${at}" stroke="#2c3235"/><text x="2" y="${at + 4}">${shown(most * part, unit)}</text>`;
  });
  const time = [startS, endS].map(
    (at, i) =>
      `<text x="${i === 0 ? left : left + w - 30}" y="${top + h + 14}">${new Date(at * 1000).toISOString().slice(11, 16)}</text>`,
  );
  const legend = drawn
    .slice(0, 9)
    .map(({ name }, i) => `<span style="color:${COLORS[i % COLORS.length]}">■</span> ${name}`);
  return `<svg width="${width - 20}" height="${h + top + 18}">${grid.join('')}${time.join('')}${paths.join('')}</svg><div class="legend">${legend.join(' &nbsp; ')}</div>`;
}

function shown(value: number, unit: Panel['unit']): string {
  const short = (one: number) => String(Number(one.toPrecision(3)));
  if (unit === 'percentunit') return `${short(value * 100)} %`;
  if (unit === 'bytes') return `${short(value / 1024 / 1024)} MiB`;
  if (unit === 's') return value < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  return unit === 'ops' ? `${short(value)}/s` : short(value);
}

/** What a panel shows, in the few forms that our dashboards need. */
export type Form = 'lines' | 'stacked' | 'number' | 'table';

export interface Query {
  expr: string;
  legend: string;
}

export interface Panel {
  title: string;
  /** One sentence: what it means when it looks bad. */
  description: string;
  form: Form;
  /** `none` are whole numbers, `cpm` is a minute; nats alone may be below 0. */
  unit: 'short' | 's' | 'ops' | 'cpm' | 'percentunit' | 'bytes' | 'nats' | 'none';
  queries: readonly Query[];
  /** From here on the number is shown in orange, then in red. */
  thresholds?: readonly [warning: number, critical: number];
  /** What is said where the queries find nothing and nothing is wrong. */
  empty?: string;
  /** What the values of a table are; absent where its labels say it all. */
  column?: string;
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  rows: readonly Row[];
}

/** What has a meaning has one color everywhere, by legend: names that both Grafana and CSS know. */
const COLORS: Record<string, Record<string, string>> = {
  '{{level}}': { clear: 'green', watch: 'yellow', paused: 'orange', killed: 'red' },
  '{{action}}': { resume: 'green', pause: 'orange', kill: 'red' },
  granted: { granted: 'green' },
  used: { used: 'orange' },
  'found above': { 'found above': 'red' },
};

/** By the name of a line; the others have any. */
export function colorsOf({ queries }: Panel): Record<string, string> {
  return Object.assign({}, ...queries.map(({ legend }) => COLORS[legend]));
}

const WIDTH = 24;
const HEIGHTS: Record<Form, number> = { lines: 8, stacked: 8, number: 4, table: 6 };
const TYPES: Record<Form, string> = { lines: 'timeseries', stacked: 'timeseries', number: 'stat', table: 'table' };
/** Grafana's names of units that are called otherwise. */
const UNITS: Partial<Record<Panel['unit'], string>> = { nats: 'suffix:nats' };
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Grafana's classic JSON, which versions 10 to 13 import. Ids and places follow from the order: equal input, equal bytes. */
export function grafanaJson({ uid, title, description, rows }: Dashboard, links: readonly Dashboard[]): unknown {
  let id = 0;
  let y = 0;
  const panels: unknown[] = [];
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: 24, x: 0, y },
    });
    y++;
    const w = Math.floor(WIDTH / row.panels.length);
    const h = Math.max(...row.panels.map(({ form }) => HEIGHTS[form]));
    row.panels.forEach((panel, at) => {
      panels.push({ id: ++id, ...panelJson(panel), gridPos: { h, w, x: at * w, y } });
    });
    y += h;
  }
  return {
    uid,
    title,
    description,
    tags: ['firebreak'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
        {
          name: 'instance',
          label: 'Analyzer',
          type: 'query',
          datasource: DATASOURCE,
          query: { query: 'label_values(firebreak_build_info, instance)', refId: 'instance' },
          refresh: 2,
          includeAll: true,
          multi: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    annotations: { list: [] },
    links: links
      .filter((one) => one.uid !== uid)
      .map((one) => ({ type: 'link', title: one.title, url: `/d/${one.uid}`, keepTime: true, includeVars: true })),
    panels,
  };
}

function panelJson(panel: Panel): Record<string, unknown> {
  const { title, description, form, unit, queries, thresholds, empty, column } = panel;
  const [warning, critical] = thresholds ?? [];
  const steps = [
    { color: 'green', value: null },
    ...(warning === undefined ? [] : [{ color: 'orange', value: warning }]),
    ...(critical === undefined ? [] : [{ color: 'red', value: critical }]),
  ];
  return {
    type: TYPES[form],
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      ...(form === 'table' ? { format: 'table', instant: true } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit: UNITS[unit] ?? unit,
        ...(unit === 'nats' ? {} : { min: 0 }),
        ...(unit === 'none' ? { decimals: 0 } : {}),
        ...(empty === undefined ? {} : { noValue: empty }),
        thresholds: { mode: 'absolute', steps },
        custom: form === 'number' ? {} : lineOf(form),
      },
      overrides: Object.entries(colorsOf(panel)).map(([name, fixedColor]) => ({
        matcher: { id: 'byName', options: name },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
    options: optionsOf(form),
    ...(form === 'table' ? { transformations: [headings(column)] } : {}),
  };
}

/** Of what Grafana makes of a query: without the time, which is the same in each line. */
function headings(column: string | undefined): Record<string, unknown> {
  const [values, renameByName] = column === undefined ? [{ Value: true }, {}] : [{}, { Value: column }];
  return { id: 'organize', options: { excludeByName: { Time: true, ...values }, indexByName: {}, renameByName } };
}

function lineOf(form: Form): Record<string, unknown> {
  if (form === 'table') return {};
  const stacking = { mode: form === 'stacked' ? 'normal' : 'none', group: 'A' };
  return { drawStyle: 'line', lineWidth: 1, fillOpacity: form === 'stacked' ? 40 : 8, showPoints: 'never', stacking };
}

function optionsOf(form: Form): Record<string, unknown> {
  if (form === 'number') {
    return {
      colorMode: 'value',
      graphMode: 'area',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    };
  }
  if (form === 'table') return { showHeader: true };
  return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
}

/** The query as it is sent, for one step and all analyzers: what Grafana would put in the place of its variables. */
export function withoutVariables(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$instance', '.*');
}

import type { Form, Panel, Query } from '../panel.ts';

/** Metrics of the analyzers that are chosen above the dashboard. */
export const of = (name: string, labels = '') =>
  `firebreak_${name}{instance=~"$instance"${labels === '' ? '' : `,${labels}`}}`;
export const rate = (name: string, labels = '') => `rate(${of(name, labels)}[$__rate_interval])`;
/** For what is rare. */
export const perMinute = (name: string, labels = '') => `60 * ${rate(name, labels)}`;
export const hour = (name: string, labels = '') => `increase(${of(name, labels)}[1h])`;
export const quantile = (share: number, name: string) =>
  `histogram_quantile(${share}, sum by (le) (${rate(`${name}_bucket`)}))`;
export const node = (name: string) => `${name}{job="firebreak",instance=~"$instance"}`;

type Unit = Panel['unit'];

export function panel(
  form: Form,
  title: string,
  description: string,
  unit: Unit,
  ...queries: [string, string][]
): Panel {
  return { form, title, description, unit, queries: queries.map(([expr, legend]): Query => ({ expr, legend })) };
}

export function number(
  title: string,
  description: string,
  unit: Unit,
  expr: string,
  thresholds?: [number, number],
): Panel {
  const shown = panel('number', title, description, unit, [expr, '']);
  return thresholds === undefined ? shown : { ...shown, thresholds };
}

/** Bands on one another. What is 0 would only be a line on top of the others; `none`: what is said where all of it is. */
export function bands(
  title: string,
  description: string,
  unit: Unit,
  expr: string,
  legend: string,
  none: string,
): Panel {
  return orElse(none, panel('stacked', title, description, unit, [`${expr} > 0`, legend]));
}

/** `column`: what is counted. */
export function table(title: string, description: string, unit: Unit, column: string, expr: string): Panel {
  return { ...panel('table', title, description, unit, [expr, '']), column };
}

/** Of a metric whose value is 1: its labels, by analyzer. */
export function info(title: string, description: string, name: string, ...labels: string[]): Panel {
  return panel('table', title, description, 'none', [`max by (${labels.join(', ')}, instance) (${of(name)})`, '']);
}

/** With the text that stands where there is nothing, and nothing is wrong. */
export function orElse(empty: string, shown: Panel): Panel {
  return { ...shown, empty };
}

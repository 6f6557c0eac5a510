import type { Form, Panel, Query } from '../panel.ts';

/** Metrics of the analyzers that are chosen above the dashboard. */
export const of = (name: string, labels = '') =>
  `firebreak_${name}{instance=~"$instance"${labels === '' ? '' : `,${labels}`}}`;
export const rate = (name: string, labels = '') => `rate(${of(name, labels)}[$__rate_interval])`;
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

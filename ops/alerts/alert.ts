import { METRIC_PREFIX } from '../../src/adapters/telemetry/metric.ts';

export type Severity = 'critical' | 'warning' | 'info' | 'none';

export interface Alert {
  name: string;
  expr: string;
  /** How long it has to hold; 0s where one look is enough. */
  for: string;
  severity: Severity;
  /** One static sentence. */
  summary: string;
  /** With the numbers: Prometheus templates. */
  description: string;
}

export interface AlertGroup {
  name: string;
  alerts: readonly Alert[];
}

/** What `job` the scrape configuration must give. */
export const JOB = 'firebreak';

/** A metric of ours by its name in `METRICS`. */
export const metric = (name: string) => `${METRIC_PREFIX}${name}`;
/** Findings of that kind were published within the window, of all analyzers. */
export const found = (code: string, window: string) =>
  `sum(increase(${metric('findings_total')}{code="${code}"}[${window}])) > 0`;

/**
 * The same expression, where it names metrics of ours of this job alone: a second Firebreak beside it must not answer for the first.
 *
 *   sum(firebreak_partitions)                 ──► sum(firebreak_partitions{job="firebreak"})
 *   firebreak_refused_total{reason="a"}       ──► firebreak_refused_total{job="firebreak",reason="a"}
 */
export function ofJob(expr: string): string {
  return expr.replace(/\b(?:firebreak|nodejs)_\w+(\{(?!job=)|(?!\w|\{))/g, (name, brace: string) =>
    brace === '' ? `${name}{job="${JOB}"}` : `${name}job="${JOB}",`,
  );
}

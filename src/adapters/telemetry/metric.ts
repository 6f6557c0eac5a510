import type { Clock } from '../../ports.ts';
import type { Durations, Stats } from './stats.ts';

export type Series = Iterable<readonly [labels: Record<string, string>, value: number]>;

interface Described {
  /** Without the prefix that all of them have. */
  name: string;
  help: string;
  /** For whoever is on duty: what to make of it. One sentence of the reference page. */
  watch: string;
}

/**
 * One metric: what Prometheus is told of it, what people are, and how it is read from the plain counts. Labels come from
 * closed sets (record types, refusals, finding codes, ids of rules, names of exceptions, partitions), never from events.
 */
export type MetricDefinition = Described &
  (
    | { type: 'counter' | 'gauge'; labels: readonly string[]; read(stats: Stats, clock: Clock): Series }
    | { type: 'histogram'; read(stats: Stats): Durations }
  );

export const METRIC_PREFIX = 'firebreak_';

export function* by(label: string, counts: Record<string, number>): Series {
  for (const [value, count] of Object.entries(counts)) yield [{ [label]: value }, count];
}

export function* one(value: number): Series {
  yield [{}, value];
}

import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from 'prom-client';
import { EXPIRING, isExpired } from '../../domain/expiry.ts';
import type { Clock } from '../../ports.ts';
import { Durations, type Stats } from './stats.ts';

type Series = Iterable<readonly [labels: Record<string, string>, value: number]>;

/**
 * The metrics of a process, read from `stats` at each scrape. Labels come from closed sets: record types, refusals,
 * finding codes, ids of rules, names of exceptions, partitions; never from events. Process metrics of prom-client are among them.
 */
export function metricsOf(stats: Stats, clock: Clock): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: string[], read: () => Series) =>
    new Counter({
      name: `firebreak_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  const gauge = (name: string, help: string, labelNames: string[], read: () => Series) =>
    new Gauge({
      name: `firebreak_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });

  counter('records_total', 'Records read from the log, by type.', ['type'], () => by('type', stats.records));
  counter('refused_total', 'Records sent to quarantine, by reason.', ['reason'], () => by('reason', stats.refused));
  counter('findings_total', 'Findings, by code.', ['code'], () => by('code', stats.findings));
  counter('commands_total', 'Commands, by rule and action.', ['rule', 'action'], () => commandSeries(stats));
  counter('bounds_lifted_total', 'Times that a rule would have done more, by exception.', ['exception'], () =>
    [...stats.lifted].map(([exception, count]) => [{ exception }, count] as const),
  );
  counter(
    'relayed_total',
    'Acknowledgements and decisions of others, by topic and outcome.',
    ['topic', 'outcome'],
    () =>
      Object.entries(stats.relayed).flatMap(([topic, counts]) =>
        Object.entries(counts).map(([outcome, count]) => [{ topic, outcome }, count] as const),
      ),
  );
  counter('tenures_lost_total', 'Partitions lost to another owner or a lost state.', ['reason'], () =>
    by('reason', stats.tenuresLost),
  );
  counter('batches_total', 'Batches judged and published.', [], () => one(stats.batches));
  counter('rebuilds_total', 'Partitions rebuilt from the log.', [], () => one(stats.rebuilds));
  counter('states_discarded_total', 'Stored states that could not be used and were thrown away.', [], () =>
    one(stats.discarded),
  );
  counter('minimal_forms_total', 'Outputs refused for good and answered by their minimal form.', [], () =>
    one(stats.minimalForms),
  );
  counter('before_policy_total', 'Records before the first policy: not judged.', [], () => one(stats.beforePolicy));
  counter('duplicates_total', 'Events seen before.', [], () => one(stats.duplicates));
  gauge('policy_info', 'The policy that is followed; the value is 1.', ['hash'], () =>
    stats.policyHash === undefined ? [] : [[{ hash: stats.policyHash }, 1] as const],
  );
  gauge('policy_folder_refused', 'Is 1 while the rules folder is refused for what is in it.', [], () =>
    one(stats.folder === 'refused' ? 1 : 0),
  );
  gauge('policy_expired', 'What is expired in the policy that is followed, by kind.', ['kind'], () =>
    EXPIRING.map((kind) => {
      const expired = stats.expiries.filter((one) => one.kind === kind && isExpired(one, clock.nowMs()));
      return [{ kind }, expired.length] as const;
    }),
  );
  gauge('partitions_owned', 'Partitions of this process.', [], () => one(stats.partitions.size));
  gauge('partitions_ready', 'Partitions of this process that are judged.', [], () =>
    one([...stats.partitions.values()].filter(({ ready }) => ready).length),
  );
  gauge('lag_records', 'Records not judged yet, by partition.', ['partition'], () =>
    [...stats.partitions].map(([partition, { lag }]) => [{ partition: String(partition) }, lag] as const),
  );
  gauge('checkpoint_age_seconds', 'Age of the oldest checkpoint of this process.', [], () => {
    const ages = [...stats.partitions.values()].map(({ checkpointedMs }) => clock.monotonicMs() - checkpointedMs);
    return one(Math.max(0, ...ages) / 1000);
  });
  registry.registerMetric(durationHistogram('publish_seconds', 'Time to publish a batch.', stats.publish));
  registry.registerMetric(durationHistogram('checkpoint_seconds', 'Time to write a checkpoint.', stats.checkpoint));
  return registry;
}

function* by(label: string, counts: Record<string, number>): Series {
  for (const [value, count] of Object.entries(counts)) yield [{ [label]: value }, count];
}

function* one(value: number): Series {
  yield [{}, value];
}

function* commandSeries(stats: Stats): Series {
  for (const [rule, counts] of stats.commands) {
    for (const [action, count] of Object.entries(counts)) yield [{ rule, action }, count];
  }
}

/**
 * A histogram whose buckets were filled elsewhere. prom-client's own can only be filled one value at a time; a registry
 * asks a metric for nothing but its name and `get()`.
 */
function durationHistogram(name: string, help: string, durations: Durations): Histogram {
  const metric = {
    name: `firebreak_${name}`,
    help,
    type: 'histogram',
    get: async () => ({ name: metric.name, help, type: metric.type, aggregator: 'sum', values: values() }),
  };
  const values = () => {
    let total = 0;
    const buckets = durations.counts.map((count, at) => {
      total += count;
      const boundMs = Durations.boundsMs[at];
      const le = boundMs === undefined ? '+Inf' : boundMs / 1000;
      return { labels: { le }, value: total, metricName: `${metric.name}_bucket` };
    });
    return [
      ...buckets,
      { labels: {}, value: durations.sumMs / 1000, metricName: `${metric.name}_sum` },
      { labels: {}, value: total, metricName: `${metric.name}_count` },
    ];
  };
  return metric as unknown as Histogram;
}

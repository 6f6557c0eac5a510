import type { Clock } from '../../ports.ts';
import { by, type MetricDefinition, one, type Series } from './metric.ts';
import type { PartitionStats, Stats } from './stats.ts';

/** How records go through the process: rate, errors, duration, how far behind it is, and whether all are accounted for. */
export const PIPELINE_METRICS: readonly MetricDefinition[] = [
  {
    type: 'counter',
    name: 'records_total',
    help: 'Records read from the log, by type.',
    watch: 'It is 0 while producers write: nothing arrives.',
    labels: ['type'],
    read: (stats) => by('type', stats.records),
  },
  {
    type: 'counter',
    name: 'batches_total',
    help: 'Batches judged and published.',
    watch: 'With the histogram of their duration: rate and time of the pipeline.',
    labels: [],
    read: (stats) => one(stats.batches),
  },
  {
    type: 'histogram',
    name: 'batch_seconds',
    help: 'Time to judge a batch: load what it needs, step, publish and wait.',
    watch: 'Most of it is publish_seconds where commands or findings go out, else the load of sessions from Redis.',
    read: (stats) => stats.batch,
  },
  {
    type: 'histogram',
    name: 'publish_seconds',
    help: 'Time to publish the outputs of a batch.',
    watch: 'It rises: the brokers acknowledge slowly.',
    read: (stats) => stats.publish,
  },
  {
    type: 'histogram',
    name: 'checkpoint_seconds',
    help: 'Time to write a checkpoint.',
    watch: 'It rises: Redis is slow, or sessions are many or large.',
    read: (stats) => stats.checkpoint,
  },
  {
    type: 'gauge',
    name: 'lag_records',
    help: 'Records not judged yet, by partition.',
    watch: 'It grows: too slow, or Kafka or Redis is away.',
    labels: ['partition'],
    read: (stats) => byPartition(stats, ({ lag }) => lag),
  },
  {
    type: 'gauge',
    name: 'lag_seconds',
    help: 'Age of the last record judged while others wait, by partition; 0 at the end of the log.',
    watch: 'So late is a command now. It compares the clock of the broker with that of this machine.',
    labels: ['partition'],
    read: (stats, clock) =>
      byPartition(stats, ({ lag, judgedThroughMs }) => {
        if (lag === 0 || judgedThroughMs === undefined) return 0;
        return Math.max(0, clock.nowMs() - judgedThroughMs) / 1000;
      }),
  },
  {
    type: 'gauge',
    name: 'lease_age_seconds',
    help: 'Time since this process last said how far a partition is judged, by partition.',
    watch: 'Enforcers act on their own when a lease is old: 15 s by default.',
    labels: ['partition'],
    read: (stats, clock) => byPartition(stats, ({ leasedMs }) => ageSeconds(leasedMs, clock)),
  },
  {
    type: 'gauge',
    name: 'proven_age_seconds',
    help: 'Time since log, state and outlet last answered for a partition, the longest of this process.',
    watch: 'Above 15: not ready. Kafka or Redis does not answer.',
    labels: [],
    read: (stats, clock) => one(longest(stats, ({ provenMs }) => ageSeconds(provenMs, clock))),
  },
  {
    type: 'counter',
    name: 'offsets_passed_total',
    help: 'Positions of the log that are behind, by partition.',
    watch: 'Equals the sum of offsets_accounted_total: nothing was lost in between.',
    labels: ['partition'],
    read: (stats) => [...stats.accounts].map(([partition, { passed }]) => [{ partition: `${partition}` }, passed]),
  },
  {
    type: 'counter',
    name: 'offsets_accounted_total',
    help: 'What became of these positions, by partition and outcome.',
    watch: 'Any difference from offsets_passed_total is a defect: capture the log and report it.',
    labels: ['partition', 'outcome'],
    read: function* (stats) {
      for (const [partition, { outcomes }] of stats.accounts) {
        for (const [outcome, count] of Object.entries(outcomes)) yield [{ partition: `${partition}`, outcome }, count];
      }
    },
  },
  {
    type: 'counter',
    name: 'refused_total',
    help: 'Records sent to quarantine, by reason.',
    watch: 'It rises: a producer writes what cannot be judged; look into firebreak.quarantine.',
    labels: ['reason'],
    read: (stats) => by('reason', stats.refused),
  },
  {
    type: 'counter',
    name: 'relayed_total',
    help: 'Acknowledgements and decisions of others, and actions copied for crowds, by topic and outcome.',
    watch:
      'refused: signed with a key that is not trusted, or not at all. failed: the relay cannot read or write a topic; the log says why.',
    labels: ['topic', 'outcome'],
    read: function* (stats) {
      for (const [topic, counts] of Object.entries(stats.relayed)) {
        for (const [outcome, count] of Object.entries(counts)) yield [{ topic, outcome }, count];
      }
    },
  },
  {
    type: 'counter',
    name: 'duplicates_total',
    help: 'Events seen before.',
    watch: 'A few are normal: producers repeat what they are not sure of.',
    labels: [],
    read: (stats) => one(stats.duplicates),
  },
  {
    type: 'counter',
    name: 'before_policy_total',
    help: 'Records before the first policy: not judged.',
    watch: 'It rises: no policy is active, nothing is judged; firebreak activate DIR.',
    labels: [],
    read: (stats) => one(stats.beforePolicy),
  },
  {
    type: 'counter',
    name: 'minimal_forms_total',
    help: 'Outputs refused for good and answered by their minimal form.',
    watch: 'Any: the broker refuses outputs, most likely max.message.bytes was lowered.',
    labels: [],
    read: (stats) => one(stats.minimalForms),
  },
];

function* byPartition(stats: Stats, read: (partition: PartitionStats) => number | undefined): Series {
  for (const [partition, known] of stats.partitions) {
    const value = read(known);
    if (value !== undefined) yield [{ partition: `${partition}` }, value];
  }
}

function longest(stats: Stats, read: (partition: PartitionStats) => number | undefined): number {
  return Math.max(0, ...[...stats.partitions.values()].map((known) => read(known) ?? 0));
}

function ageSeconds(sinceMs: number | undefined, clock: Clock): number | undefined {
  return sinceMs === undefined ? undefined : Math.max(0, clock.monotonicMs() - sinceMs) / 1000;
}

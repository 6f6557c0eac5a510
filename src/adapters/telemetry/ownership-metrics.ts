import { by, type MetricDefinition, one } from './metric.ts';

/** What this process is and holds: partitions, states and their safety, resources. */
export const OWNERSHIP_METRICS: readonly MetricDefinition[] = [
  {
    type: 'gauge',
    name: 'build_info',
    help: 'Version of Firebreak, of its engine and of Node; the value is 1.',
    watch: 'More than one version outside an upgrade: a process was left behind.',
    labels: ['version', 'engine', 'node'],
    read: ({ build }) => (build === undefined ? [] : [[{ ...build }, 1]]),
  },
  {
    type: 'gauge',
    name: 'partitions',
    help: 'Partitions of the log.',
    watch: 'The sum of partitions_owned over all processes must reach it: else somebody is not judged.',
    labels: [],
    read: (stats) => one(stats.partitionCount),
  },
  {
    type: 'gauge',
    name: 'partitions_owned',
    help: 'Partitions of this process.',
    watch: '0 for long: more processes than partitions, or it does not get into the group.',
    labels: [],
    read: (stats) => one(stats.partitions.size),
  },
  {
    type: 'gauge',
    name: 'partitions_ready',
    help: 'Partitions of this process that are judged.',
    watch: 'Below partitions_owned for more than a minute: a partition is not judged.',
    labels: [],
    read: (stats) => one([...stats.partitions.values()].filter(({ ready }) => ready).length),
  },
  {
    type: 'counter',
    name: 'partitions_given_up_total',
    help: 'Times that a partition was dropped after a failure, to be taken over again.',
    watch: 'A few at a restart of Kafka or Redis; going on: the log says what fails.',
    labels: [],
    read: (stats) => one(stats.givenUp),
  },
  {
    type: 'counter',
    name: 'tenures_lost_total',
    help: 'Partitions lost to another owner or a lost state.',
    watch: 'fenced: two owners for a moment, normal at a rebalance. rolled_back, state_lost: Redis lost writes.',
    labels: ['reason'],
    read: (stats) => by('reason', stats.tenuresLost),
  },
  {
    type: 'counter',
    name: 'states_behind_total',
    help: 'Partitions taken over with less state than the group had committed: none, or an older one.',
    watch: 'Any: Redis lost what it had confirmed, whether or not an owner was there to see it.',
    labels: ['found'],
    read: (stats) => by('found', stats.statesBehind),
  },
  {
    type: 'counter',
    name: 'rebuilds_total',
    help: 'Partitions rebuilt from the log.',
    watch: 'A partition came back from the log: its state in Redis was not there.',
    labels: [],
    read: (stats) => one(stats.rebuilds),
  },
  {
    type: 'counter',
    name: 'states_discarded_total',
    help: 'Stored states that could not be used and were thrown away.',
    watch: 'Any: the log says why.',
    labels: [],
    read: (stats) => one(stats.discarded),
  },
  {
    type: 'gauge',
    name: 'checkpoint_age_seconds',
    help: 'Age of the oldest checkpoint of this process that does not hold all that was judged.',
    watch: 'Above 60: Redis does not take checkpoints; a crash would repeat more.',
    labels: [],
    read: (stats, clock) => {
      const ages = [...stats.partitions.values()].map(({ checkpointedMs }) => clock.monotonicMs() - checkpointedMs);
      return one(Math.max(0, ...ages) / 1000);
    },
  },
  {
    type: 'gauge',
    name: 'sessions_stored',
    help: 'Of the sessions of this process those that only the checkpoint holds: they are not in memory.',
    watch: 'After a take-over all of them; they come when a record needs them.',
    labels: [],
    read: (stats) => one([...stats.partitions.values()].reduce((sum, { stored = 0 }) => sum + stored, 0)),
  },
];

import type { Dashboard } from '../panel.ts';
import { NUMBERS } from './numbers.ts';
import { node, of, panel, quantile, rate } from './query.ts';

export const PIPELINE: Dashboard = {
  uid: 'firebreak-pipeline',
  title: 'Firebreak: pipeline',
  description: 'Rate, errors and duration of the way of a record, and the safety of the state.',
  rows: [
    {
      title: 'Rate and lag',
      panels: [
        panel('lines', 'Records a second', 'By analyzer.', 'ops', [
          `sum by (instance) (${rate('records_total')})`,
          '{{instance}}',
        ]),
        panel('lines', 'Lag in records', 'By partition.', 'short', [of('lag_records'), '{{partition}}']),
        panel('lines', 'Lag in seconds', 'By partition.', 's', [of('lag_seconds'), '{{partition}}']),
      ],
    },
    {
      title: 'Errors',
      panels: [
        panel('stacked', 'Quarantine by reason', 'Look into firebreak.quarantine.', 'ops', [
          `sum by (reason) (${rate('refused_total')})`,
          '{{reason}}',
        ]),
        panel('stacked', 'Tenures lost', 'rolled_back and state_lost: Redis lost writes.', 'ops', [
          `sum by (reason) (${rate('tenures_lost_total')})`,
          '{{reason}}',
        ]),
        panel(
          'lines',
          'Given up, rebuilt, discarded',
          'A few at a restart of Kafka or Redis.',
          'ops',
          [`sum(${rate('partitions_given_up_total')})`, 'given up'],
          [`sum(${rate('rebuilds_total')})`, 'rebuilt'],
          [`sum(${rate('states_discarded_total')})`, 'discarded'],
        ),
      ],
    },
    {
      title: 'Duration, half and 99 of 100',
      panels: (['batch', 'publish', 'checkpoint'] as const).map((what) =>
        panel(
          'lines',
          `Time of a ${what}`,
          'Of all analyzers.',
          's',
          [quantile(0.5, `${what}_seconds`), 'p50'],
          [quantile(0.99, `${what}_seconds`), 'p99'],
        ),
      ),
    },
    {
      title: 'State and accounting',
      panels: [
        panel('lines', 'Checkpoint age', 'A crash repeats as much.', 's', [
          of('checkpoint_age_seconds'),
          '{{instance}}',
        ]),
        panel('lines', 'Silence', 'Since log, state and outlet last answered.', 's', [
          of('proven_age_seconds'),
          '{{instance}}',
        ]),
        panel('stacked', 'What became of records', 'Their sum is what was read.', 'ops', [
          `sum by (outcome) (${rate('offsets_accounted_total')})`,
          '{{outcome}}',
        ]),
        NUMBERS.difference,
      ],
    },
    {
      title: 'Bounds',
      panels: [
        panel('lines', 'Event loop delay', '99 of 100 turns are shorter.', 's', [
          node('nodejs_eventloop_lag_p99_seconds'),
          '{{instance}}',
        ]),
        panel('lines', 'Heap', 'Used, of what Node may take.', 'bytes', [
          node('nodejs_heap_size_used_bytes'),
          '{{instance}}',
        ]),
        panel('lines', 'Sessions not loaded', 'Only in the checkpoint.', 'short', [
          of('sessions_stored'),
          '{{instance}}',
        ]),
      ],
    },
  ],
};

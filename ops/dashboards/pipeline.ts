import type { Dashboard } from '../panel.ts';
import { NUMBERS } from './numbers.ts';
import { bands, node, of, orElse, panel, perMinute, quantile, rate } from './query.ts';

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
        panel('lines', 'Lag in records', 'Of the partitions that are furthest behind.', 'short', [
          `topk(8, ${of('lag_records')})`,
          '{{partition}}',
        ]),
        panel('lines', 'Lag in seconds', 'Of the partitions that are furthest behind.', 's', [
          `topk(8, ${of('lag_seconds')})`,
          '{{partition}}',
        ]),
      ],
    },
    {
      title: 'Errors',
      panels: [
        bands(
          'Quarantine by reason',
          'Look into firebreak.quarantine.',
          'cpm',
          `sum by (reason) (${perMinute('refused_total')})`,
          '{{reason}}',
          'Nothing was refused',
        ),
        orElse(
          'None lost',
          panel(
            'stacked',
            'Tenures lost',
            'rolled_back, state_lost and what a take-over found: Redis lost writes.',
            'cpm',
            [`sum by (reason) (${perMinute('tenures_lost_total')}) > 0`, '{{reason}}'],
            [`sum by (found) (${perMinute('states_behind_total')}) > 0`, 'found {{found}}'],
          ),
        ),
        panel(
          'lines',
          'Given up, rebuilt, discarded',
          'A few at a restart of Kafka or Redis.',
          'cpm',
          [`sum(${perMinute('partitions_given_up_total')})`, 'given up'],
          [`sum(${perMinute('rebuilds_total')})`, 'rebuilt'],
          [`sum(${perMinute('states_discarded_total')})`, 'discarded'],
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
        bands(
          'What became of records',
          'Their sum is what was read.',
          'ops',
          `sum by (outcome) (${rate('offsets_accounted_total')})`,
          '{{outcome}}',
          'Nothing was read',
        ),
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

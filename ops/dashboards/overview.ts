import type { Dashboard } from '../panel.ts';
import { NUMBERS } from './numbers.ts';
import { bands, info, node, of, panel, perMinute, rate } from './query.ts';

export const OVERVIEW: Dashboard = {
  uid: 'firebreak-overview',
  title: 'Firebreak: overview',
  description: 'Is everything judged, in time, and what came of it.',
  rows: [
    {
      title: 'Is it safe now',
      panels: [NUMBERS.ready, NUMBERS.lag, NUMBERS.lease, NUMBERS.refused, NUMBERS.difference],
    },
    { title: 'What it does', panels: [NUMBERS.killed, NUMBERS.paused, NUMBERS.afterKill] },
    {
      title: 'Flow',
      panels: [
        bands(
          'Records',
          'Read from the log, by type.',
          'ops',
          `sum by (type) (${rate('records_total')})`,
          '{{type}}',
          'Nothing was read',
        ),
        panel('lines', 'Lag', 'Age of the oldest record that waits, by analyzer.', 's', [
          `max by (instance) (${of('lag_seconds')})`,
          '{{instance}}',
        ]),
        bands(
          'Commands',
          'By action.',
          'cpm',
          `sum by (action) (${perMinute('commands_total')})`,
          '{{action}}',
          'No command',
        ),
      ],
    },
    {
      title: 'Processes',
      panels: [
        panel('lines', 'Partitions', 'Judged, by analyzer.', 'none', [of('partitions_ready'), '{{instance}}']),
        panel('lines', 'CPU', 'Cores in use; one analyzer judges on one.', 'short', [
          `rate(${node('process_cpu_seconds_total')}[$__rate_interval])`,
          '{{instance}}',
        ]),
        panel('lines', 'Memory', 'Resident.', 'bytes', [node('process_resident_memory_bytes'), '{{instance}}']),
        info('Versions', 'Different ones only during an upgrade.', 'build_info', 'version', 'engine', 'node'),
      ],
    },
  ],
};

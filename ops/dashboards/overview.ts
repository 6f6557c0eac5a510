import type { Dashboard } from '../panel.ts';
import { NUMBERS } from './numbers.ts';
import { node, of, panel, rate } from './query.ts';

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
        panel('stacked', 'Records', 'Read from the log, by type.', 'ops', [
          `sum by (type) (${rate('records_total')})`,
          '{{type}}',
        ]),
        panel('lines', 'Lag', 'Age of the oldest record that waits, by analyzer.', 's', [
          `max by (instance) (${of('lag_seconds')})`,
          '{{instance}}',
        ]),
        panel('stacked', 'Commands', 'By action.', 'ops', [
          `sum by (action) (${rate('commands_total')})`,
          '{{action}}',
        ]),
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
        panel('table', 'Versions', 'More than one only during an upgrade.', 'none', [of('build_info'), '']),
      ],
    },
  ],
};

import type { Dashboard, Form, Panel, Query } from './panel.ts';

/** Metrics of the analyzers that are chosen above the dashboard. */
const of = (name: string, labels = '') =>
  `firebreak_${name}{instance=~"$instance"${labels === '' ? '' : `,${labels}`}}`;
const rate = (name: string, labels = '') => `rate(${of(name, labels)}[$__rate_interval])`;
const hour = (name: string, labels = '') => `increase(${of(name, labels)}[1h])`;
const quantile = (share: number, name: string) =>
  `histogram_quantile(${share}, sum by (le) (${rate(`${name}_bucket`)}))`;
const node = (name: string) => `${name}{job="firebreak",instance=~"$instance"}`;

type Unit = Panel['unit'];

function panel(form: Form, title: string, description: string, unit: Unit, ...queries: [string, string][]): Panel {
  return { form, title, description, unit, queries: queries.map(([expr, legend]): Query => ({ expr, legend })) };
}

function number(title: string, description: string, unit: Unit, expr: string, thresholds?: [number, number]): Panel {
  const shown = panel('number', title, description, unit, [expr, '']);
  return thresholds === undefined ? shown : { ...shown, thresholds };
}

const NUMBERS = {
  ready: number(
    'Partitions not judged',
    'Above 0: /readyz of that analyzer says why.',
    'none',
    `max(${of('partitions')}) - sum(${of('partitions_ready')})`,
    [1, 1],
  ),
  lag: number(
    'Decisions are late by',
    'Age of the oldest record that waits.',
    's',
    `max(${of('lag_seconds')})`,
    [10, 30],
  ),
  lease: number(
    'Oldest lease',
    'Enforcers act on their own beyond 15 s.',
    's',
    `max(${of('lease_age_seconds')})`,
    [5, 15],
  ),
  killed: number(
    'Kills, last hour',
    'Commands to end a session.',
    'none',
    `sum(${hour('commands_total', 'action="kill"')})`,
  ),
  paused: number(
    'Sessions paused now',
    'They wait for a person.',
    'none',
    `sum(${of('sessions', 'level="paused"')})`,
    [20, 100],
  ),
  afterKill: number(
    'Actions after a kill, last hour',
    'Any: an enforcer did not obey.',
    'none',
    `sum(${hour('findings_total', 'code="action_after_kill"')})`,
    [1, 1],
  ),
  refused: number(
    'Share refused',
    'Records that cannot be judged, of all.',
    'percentunit',
    `sum(${rate('refused_total')}) / clamp_min(sum(${rate('records_total')}), 1e-9)`,
    [0.001, 0.01],
  ),
  difference: number(
    'Records not accounted for',
    'Any is a defect.',
    'none',
    `sum(${of('offsets_passed_total')}) - sum(${of('offsets_accounted_total')})`,
    [1, 1],
  ),
} as const;

const OVERVIEW: Dashboard = {
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

const SESSIONS: Dashboard = {
  uid: 'firebreak-decisions',
  title: 'Firebreak: sessions and decisions',
  description: 'Which levels sessions have, which rules brought them there, and whether commands are obeyed.',
  rows: [
    {
      title: 'Levels',
      panels: [
        panel('stacked', 'Sessions by level', 'In memory; counted every few seconds.', 'short', [
          `sum by (level) (${of('sessions')})`,
          '{{level}}',
        ]),
        panel('stacked', 'Level changes', 'Into each level.', 'ops', [
          `sum by (level) (${rate('level_changes_total')})`,
          '{{level}}',
        ]),
      ],
    },
    {
      title: 'Decisions',
      panels: [
        panel('stacked', 'Commands by rule', 'A jump is an attack, a new kind of work, or a bad rule.', 'ops', [
          `sum by (rule, action) (${rate('commands_total')})`,
          '{{rule}} {{action}}',
        ]),
        panel('table', 'Commands, last hour', 'By rule and action.', 'none', [
          `sum by (rule, action) (${hour('commands_total')}) > 0`,
          '',
        ]),
      ],
    },
    {
      title: 'Findings',
      panels: [
        panel('stacked', 'Findings by code', 'What people should know.', 'ops', [
          `sum by (code) (${rate('findings_total')})`,
          '{{code}}',
        ]),
        panel('stacked', 'Shadow hits by rule', 'What rules would have done if they were enforced.', 'ops', [
          `sum by (rule) (${rate('shadow_hits_total')})`,
          '{{rule}}',
        ]),
        panel('stacked', 'Lifted by exceptions', 'What exceptions kept rules from.', 'ops', [
          `sum by (exception) (${rate('bounds_lifted_total')})`,
          '{{exception}}',
        ]),
      ],
    },
    {
      title: 'People',
      panels: [
        panel('lines', 'Asked, answered, overdue', 'Pauses that ask a person, and what came.', 'ops', [
          `sum by (code) (${rate('findings_total', 'code=~"decision_.*"')})`,
          '{{code}}',
        ]),
        panel('stacked', 'Relayed', 'What enforcers and reviewers say, on its way into the log.', 'ops', [
          `sum by (topic, outcome) (${rate('relayed_total')})`,
          '{{topic}} {{outcome}}',
        ]),
      ],
    },
    {
      title: 'Obeyed',
      panels: [
        NUMBERS.afterKill,
        number(
          'Rules failed, last hour',
          'A rule has no value on some events.',
          'none',
          `sum(${hour('findings_total', 'code="rule_failed"')})`,
          [1, 1],
        ),
        NUMBERS.paused,
      ],
    },
  ],
};

const PIPELINE: Dashboard = {
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

const BASELINES: Dashboard = {
  uid: 'firebreak-baselines',
  title: 'Firebreak: policy and baselines',
  description: 'What is in force, what it was learned from, and how far its promises go.',
  rows: [
    {
      title: 'In force',
      panels: [
        panel('table', 'Policy', 'More than one hash only during an activation.', 'none', [of('policy_info'), '']),
        panel('table', 'Baseline', 'No line: intents judge nothing.', 'none', [of('baseline_info'), '']),
      ],
    },
    {
      title: 'Promises',
      panels: [
        panel(
          'table',
          'Thresholds',
          'Evidence in nats above which a level begins. No line for a level that nothing certifies.',
          'none',
          [`max by (condition, grade) (${of('baseline_threshold_nats')})`, ''],
        ),
        panel('table', 'Budgets', 'Share of harmless sessions that may ever cross it.', 'percentunit', [
          `max by (condition, grade) (${of('baseline_budget_ratio')})`,
          '',
        ]),
      ],
    },
    {
      title: 'Kept?',
      panels: [
        panel(
          'lines',
          'Share of sessions by level',
          'Compare watch, paused and killed with the budgets.',
          'percentunit',
          [
            `sum by (level) (${of('sessions', 'level!="clear"')}) / scalar(clamp_min(sum(${of('sessions')}), 1))`,
            '{{level}}',
          ],
        ),
        panel(
          'stacked',
          'Commands by rule or intent',
          'The kills of honest sessions count against the budget.',
          'ops',
          [`sum by (rule, action) (${rate('commands_total')})`, '{{rule}} {{action}}'],
        ),
        panel(
          'lines',
          'Budget of pauses: granted and used',
          'Used: sessions that intents paused and people released, of all that finished, over seven days.',
          'percentunit',
          [`max(${of('baseline_budget_ratio', 'condition="pause"')})`, 'granted'],
          [
            `sum(increase(${of('reviews_total', 'by="intent",outcome="released"')}[7d])) / clamp_min(sum(increase(${of('finished_sessions_total')}[7d])), 1)`,
            'used',
          ],
        ),
        panel('lines', 'Drift', 'Above 6.9 nats finished sessions are not as those that certify.', 'none', [
          `max by (partition) (${of('baseline_drift_nats')})`,
          '{{partition}}',
        ]),
        panel('lines', 'Expired', 'Past their date: exceptions, shadow rules.', 'none', [
          `max by (kind) (${of('policy_expired')})`,
          '{{kind}}',
        ]),
      ],
    },
  ],
};

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, SESSIONS, PIPELINE, BASELINES];
